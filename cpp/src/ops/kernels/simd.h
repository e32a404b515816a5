// Short vectors and dual numbers for the fused kernels.
//
// A kernel is written once, over a number type N that is Packet<T, B> (several channels at once) or Dual<T, B> (a packet with a
// tangent). Evaluated with duals, the gradient kernel gives its own directional derivative: that is the double backward.
#pragma once

#include <cstddef>
#include <cstring>

#define UNNP_INLINE inline __attribute__((always_inline))

namespace unnp::simd {

template <typename T, int Bytes> struct VectorOf;
template <int Bytes> struct VectorOf<float, Bytes> {
  typedef float type __attribute__((vector_size(Bytes), aligned(4), may_alias));
  typedef int integers __attribute__((vector_size(Bytes)));
};
template <int Bytes> struct VectorOf<double, Bytes> {
  typedef double type __attribute__((vector_size(Bytes), aligned(8), may_alias));
  typedef long long integers __attribute__((vector_size(Bytes)));
};

// As many neighbouring channels of one row as fit into a vector register of so many bytes.
template <typename T, int Bytes> struct Packet {
  using scalar = T;
  static constexpr int width = Bytes / static_cast<int>(sizeof(T));
  typename VectorOf<T, Bytes>::type v;
};

template <typename T, int B> UNNP_INLINE Packet<T, B> broadcast(T x) {
  return {x - typename VectorOf<T, B>::type{}};
}

template <typename T, int B> UNNP_INLINE Packet<T, B> operator+(Packet<T, B> a, Packet<T, B> b) { return {a.v + b.v}; }
template <typename T, int B> UNNP_INLINE Packet<T, B> operator-(Packet<T, B> a, Packet<T, B> b) { return {a.v - b.v}; }
template <typename T, int B> UNNP_INLINE Packet<T, B> operator*(Packet<T, B> a, Packet<T, B> b) { return {a.v * b.v}; }
template <typename T, int B> UNNP_INLINE Packet<T, B> operator/(Packet<T, B> a, Packet<T, B> b) { return {a.v / b.v}; }
template <typename T, int B> UNNP_INLINE Packet<T, B> operator-(Packet<T, B> a) { return {-a.v}; }

template <typename T, int B> UNNP_INLINE T sum(Packet<T, B> a) {
  T x[Packet<T, B>::width];
  std::memcpy(x, &a.v, sizeof(x));
  for (int half = Packet<T, B>::width / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) x[k] += x[k + half];
  return x[0];
}

// Copies n < Width numbers in pieces of constant size, which the compiler turns into single moves.
template <int Width, typename T> UNNP_INLINE void copy_part(T *to, const T *from, int n) {
  int k = 0;
  if constexpr (Width > 8)
    if (n & 8) std::memcpy(to, from, 8 * sizeof(T)), k = 8;
  if (n & 4) std::memcpy(to + k, from + k, 4 * sizeof(T)), k += 4;
  if (n & 2) std::memcpy(to + k, from + k, 2 * sizeof(T)), k += 2;
  if (n & 1) to[k] = from[k];
}

// Channels beyond n read as zero and are not written.
template <typename T, int B> UNNP_INLINE Packet<T, B> load(const T *p, int n) {
  Packet<T, B> a{};
  if (n >= Packet<T, B>::width) {
    std::memcpy(&a.v, p, sizeof(a.v));
  } else {
    T x[Packet<T, B>::width] = {};
    copy_part<Packet<T, B>::width>(x, p, n);
    std::memcpy(&a.v, x, sizeof(x));
  }
  return a;
}
template <typename T, int B> UNNP_INLINE void store(T *p, Packet<T, B> a, int n) {
  if (n >= Packet<T, B>::width) {
    std::memcpy(p, &a.v, sizeof(a.v));
  } else {
    T x[Packet<T, B>::width];
    std::memcpy(x, &a.v, sizeof(x));
    copy_part<Packet<T, B>::width>(p, x, n);
  }
}
template <typename T, int B> UNNP_INLINE void add(T *p, Packet<T, B> a, int n) { store(p, load<T, B>(p, n) + a, n); }

template <typename T> struct ExpConstants;
template <> struct ExpConstants<float> {
  static constexpr float limit = 87.0f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f, magic = 12582912.0f;
  static constexpr int degree = 7, bias = 127, mantissa = 23;
};
template <> struct ExpConstants<double> {
  static constexpr double limit = 708.0, ln2_high = 0.693147180369123816490, ln2_low = 1.90821492927058770002e-10,
                          magic = 6755399441055744.0;
  static constexpr int degree = 13, bias = 1023, mantissa = 52;
};

// exp(x) = 2^n exp(r), r = x - n ln 2, by the Taylor polynomial of exp(r) on |r| <= ln(2)/2; relative error 1 to 2 ulp.
template <typename T, int B> UNNP_INLINE Packet<T, B> exp(Packet<T, B> x) {
  using C = ExpConstants<T>;
  using I = typename VectorOf<T, B>::integers;
  const auto high = broadcast<T, B>(C::limit).v, low = broadcast<T, B>(-C::limit).v;
  x.v = x.v > high ? high : x.v;
  x.v = x.v < low ? low : x.v;
  const auto magic = broadcast<T, B>(C::magic);
  const Packet<T, B> shifted = x * broadcast<T, B>(T(1.44269504088896340736)) + magic;
  const Packet<T, B> n = shifted - magic;
  const Packet<T, B> r = (x - n * broadcast<T, B>(C::ln2_high)) - n * broadcast<T, B>(C::ln2_low);
  Packet<T, B> p = broadcast<T, B>(T(1));
#pragma GCC unroll 16
  for (int k = C::degree; k > 0; --k) p = broadcast<T, B>(T(1)) + p * r * broadcast<T, B>(T(1) / T(k));
  const I exponent = __builtin_convertvector(n.v, I);
  const I power = (exponent + C::bias) << C::mantissa;
  Packet<T, B> scale;
  std::memcpy(&scale.v, &power, sizeof(power));
  return p * scale;
}

// A packet with a tangent: a + eps * b, eps^2 = 0.
template <typename T, int B> struct Dual {
  using scalar = T;
  static constexpr int width = Packet<T, B>::width;
  Packet<T, B> value, tangent;
};
template <typename T, int B> UNNP_INLINE Dual<T, B> operator+(Dual<T, B> a, Dual<T, B> b) {
  return {a.value + b.value, a.tangent + b.tangent};
}
template <typename T, int B> UNNP_INLINE Dual<T, B> operator-(Dual<T, B> a, Dual<T, B> b) {
  return {a.value - b.value, a.tangent - b.tangent};
}
template <typename T, int B> UNNP_INLINE Dual<T, B> operator*(Dual<T, B> a, Dual<T, B> b) {
  return {a.value * b.value, a.value * b.tangent + a.tangent * b.value};
}
template <typename T, int B> UNNP_INLINE Dual<T, B> operator/(Dual<T, B> a, Dual<T, B> b) {
  const Packet<T, B> q = a.value / b.value;
  return {q, (a.tangent - q * b.tangent) / b.value};
}
template <typename T, int B> UNNP_INLINE Dual<T, B> operator-(Dual<T, B> a) { return {-a.value, -a.tangent}; }
template <typename T, int B> UNNP_INLINE Dual<T, B> exp(Dual<T, B> a) {
  const Packet<T, B> e = exp(a.value);
  return {e, e * a.tangent};
}
// A constant of the number type N.
template <typename N> struct Constant;
template <typename T, int B> struct Constant<Packet<T, B>> {
  static UNNP_INLINE Packet<T, B> of(T x) { return broadcast<T, B>(x); }
};
template <typename T, int B> struct Constant<Dual<T, B>> {
  static UNNP_INLINE Dual<T, B> of(T x) { return {broadcast<T, B>(x), Packet<T, B>{}}; }
};
template <typename N> UNNP_INLINE N constant(typename N::scalar x) { return Constant<N>::of(x); }

} // namespace unnp::simd
