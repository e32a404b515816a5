// Short vectors and dual numbers for the fused kernels. Compiled once per instruction set, each into its own
// namespace.
//
// A kernel is written once, over a number type N that is Packet<T> (several channels at once) or Dual<T> (a
// packet with a tangent). Evaluated with duals, the gradient kernel gives its own directional derivative:
// that is the double backward.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#define UNNP_INLINE inline __attribute__((always_inline))

namespace unnp::ops::UNNP_ARCH {

#if defined(__AVX512F__)
constexpr int bytes = 64;
#elif defined(__AVX2__)
constexpr int bytes = 32;
#else
constexpr int bytes = 16;
#endif

template <typename T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(bytes), aligned(4), may_alias));
  typedef int integers __attribute__((vector_size(bytes)));
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(bytes), aligned(8), may_alias));
  typedef long long integers __attribute__((vector_size(bytes)));
};

// As many neighbouring channels of one row as fit into a vector register.
template <typename T>
struct Packet {
  using scalar = T;
  static constexpr int width = bytes / static_cast<int>(sizeof(T));
  typename VectorOf<T>::type v;
};

template <typename T>
UNNP_INLINE Packet<T> broadcast(T x) {
  return {x - typename VectorOf<T>::type{}};
}

template <typename T>
UNNP_INLINE Packet<T> operator+(Packet<T> a, Packet<T> b) {
  return {a.v + b.v};
}
template <typename T>
UNNP_INLINE Packet<T> operator-(Packet<T> a, Packet<T> b) {
  return {a.v - b.v};
}
template <typename T>
UNNP_INLINE Packet<T> operator*(Packet<T> a, Packet<T> b) {
  return {a.v * b.v};
}
template <typename T>
UNNP_INLINE Packet<T> operator/(Packet<T> a, Packet<T> b) {
  return {a.v / b.v};
}
template <typename T>
UNNP_INLINE Packet<T> operator-(Packet<T> a) {
  return {-a.v};
}

template <typename T>
UNNP_INLINE T sum(Packet<T> a) {
  T x[Packet<T>::width];
  std::memcpy(x, &a.v, sizeof(x));
  for (int half = Packet<T>::width / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k)
      x[k] += x[k + half];
  return x[0];
}

// The first n < width channels of a packet, in memory and in the register. A packet that is put together in
// memory of smaller pieces stalls when it is read as a whole; masks do not.
#if defined(__AVX512F__)
UNNP_INLINE Packet<float> load_part(const float* p, int n) {
  return {_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), p)};
}
UNNP_INLINE Packet<double> load_part(const double* p, int n) {
  return {_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1u), p)};
}
UNNP_INLINE void store_part(float* p, Packet<float> a, int n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1u), a.v);
}
UNNP_INLINE void store_part(double* p, Packet<double> a, int n) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1u), a.v);
}
#else
// In pieces of constant size, which the compiler turns into single moves.
template <typename T>
UNNP_INLINE void copy_part(T* to, const T* from, int n) {
  int k = 0;
  if (n & 4)
    std::memcpy(to + k, from + k, 4 * sizeof(T)), k += 4;
  if (n & 2)
    std::memcpy(to + k, from + k, 2 * sizeof(T)), k += 2;
  if (n & 1)
    to[k] = from[k];
}
template <typename T>
UNNP_INLINE Packet<T> load_part(const T* p, int n) {
  Packet<T> a;
  T x[Packet<T>::width] = {};
  copy_part(x, p, n);
  std::memcpy(&a.v, x, sizeof(x));
  return a;
}
template <typename T>
UNNP_INLINE void store_part(T* p, Packet<T> a, int n) {
  T x[Packet<T>::width];
  std::memcpy(x, &a.v, sizeof(x));
  copy_part(p, x, n);
}
#endif

// Channels beyond n read as zero and are not written.
template <typename T>
UNNP_INLINE Packet<T> load(const T* p, int n) {
  if (n < Packet<T>::width)
    return load_part(p, n);
  Packet<T> a;
  std::memcpy(&a.v, p, sizeof(a.v));
  return a;
}
template <typename T>
UNNP_INLINE void store(T* p, Packet<T> a, int n) {
  if (n < Packet<T>::width)
    store_part(p, a, n);
  else
    std::memcpy(p, &a.v, sizeof(a.v));
}
template <typename T>
UNNP_INLINE void add(T* p, Packet<T> a, int n) {
  store(p, load<T>(p, n) + a, n);
}

template <typename T>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  static constexpr float limit = 87.0f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f,
                         magic = 12582912.0f;
  static constexpr int degree = 7, bias = 127, mantissa = 23;
};
template <>
struct ExpConstants<double> {
  static constexpr double limit = 708.0, ln2_high = 0.693147180369123816490,
                          ln2_low = 1.90821492927058770002e-10, magic = 6755399441055744.0;
  static constexpr int degree = 13, bias = 1023, mantissa = 52;
};

// exp(x) = 2^n exp(r), r = x - n ln 2, by the Taylor polynomial of exp(r) on |r| <= ln(2)/2; relative error 1
// to 2 ulp.
template <typename T>
UNNP_INLINE Packet<T> exp(Packet<T> x) {
  using C = ExpConstants<T>;
  using I = typename VectorOf<T>::integers;
  const auto high = broadcast<T>(C::limit).v, low = broadcast<T>(-C::limit).v;
  x.v = x.v > high ? high : x.v;
  x.v = x.v < low ? low : x.v;
  const auto magic = broadcast<T>(C::magic);
  const Packet<T> shifted = x * broadcast<T>(T(1.44269504088896340736)) + magic;
  const Packet<T> n = shifted - magic;
  const Packet<T> r = (x - n * broadcast<T>(C::ln2_high)) - n * broadcast<T>(C::ln2_low);
  Packet<T> p = broadcast<T>(T(1));
#pragma GCC unroll 16
  for (int k = C::degree; k > 0; --k)
    p = broadcast<T>(T(1)) + p * r * broadcast<T>(T(1) / T(k));
  const I exponent = __builtin_convertvector(n.v, I);
  const I power = (exponent + C::bias) << C::mantissa;
  Packet<T> scale;
  std::memcpy(&scale.v, &power, sizeof(power));
  return p * scale;
}

template <typename T>
UNNP_INLINE Packet<T> sqrt(Packet<T> a) {
  T x[Packet<T>::width];
  std::memcpy(x, &a.v, sizeof(x));
  for (int k = 0; k < Packet<T>::width; ++k)
    x[k] = std::sqrt(x[k]);
  std::memcpy(&a.v, x, sizeof(x));
  return a;
}

// The smaller one; what is not a number stays so.
template <typename T>
UNNP_INLINE Packet<T> at_most(Packet<T> a, T most) {
  const auto highest = broadcast<T>(most).v;
  return {a.v > highest ? highest : a.v};
}

// A packet with a tangent: a + eps * b, eps^2 = 0.
template <typename T>
struct Dual {
  using scalar = T;
  static constexpr int width = Packet<T>::width;
  Packet<T> value, tangent;
};
template <typename T>
UNNP_INLINE Dual<T> operator+(Dual<T> a, Dual<T> b) {
  return {a.value + b.value, a.tangent + b.tangent};
}
template <typename T>
UNNP_INLINE Dual<T> operator-(Dual<T> a, Dual<T> b) {
  return {a.value - b.value, a.tangent - b.tangent};
}
template <typename T>
UNNP_INLINE Dual<T> operator*(Dual<T> a, Dual<T> b) {
  return {a.value * b.value, a.value * b.tangent + a.tangent * b.value};
}
template <typename T>
UNNP_INLINE Dual<T> operator/(Dual<T> a, Dual<T> b) {
  const Packet<T> q = a.value / b.value;
  return {q, (a.tangent - q * b.tangent) / b.value};
}
template <typename T>
UNNP_INLINE Dual<T> operator-(Dual<T> a) {
  return {-a.value, -a.tangent};
}
// 1 / (1 + exp(-x)). Its tangent is that of the logistic function, as exp(-x) times a tangent may overflow.
template <typename T>
UNNP_INLINE Packet<T> sigmoid(Packet<T> x) {
  const auto one = broadcast<T>(T(1));
  return one / (one + exp(-x));
}
template <typename T>
UNNP_INLINE Dual<T> sigmoid(Dual<T> x) {
  const Packet<T> s = sigmoid(x.value);
  return {s, s * (broadcast<T>(T(1)) - s) * x.tangent};
}
template <typename T>
UNNP_INLINE Dual<T> sqrt(Dual<T> a) {
  const Packet<T> root = sqrt(a.value);
  return {root, a.tangent / (root + root)};
}
template <typename T>
UNNP_INLINE Dual<T> at_most(Dual<T> a, T most) {
  const auto is_more = a.value.v > broadcast<T>(most).v;
  return {at_most(a.value, most), {is_more ? Packet<T>{}.v : a.tangent.v}};
}

// A constant of the number type N.
template <typename N>
struct Constant;
template <typename T>
struct Constant<Packet<T>> {
  static UNNP_INLINE Packet<T> of(T x) { return broadcast<T>(x); }
};
template <typename T>
struct Constant<Dual<T>> {
  static UNNP_INLINE Dual<T> of(T x) { return {broadcast<T>(x), Packet<T>{}}; }
};
template <typename N>
UNNP_INLINE N constant(typename N::scalar x) {
  return Constant<N>::of(x);
}

} // namespace unnp::ops::UNNP_ARCH
