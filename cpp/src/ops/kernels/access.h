// Reading and writing rows of plain numbers as packets and dual numbers.
#pragma once

#include "../arrays.h"
#include "simd.h"

#include <algorithm>

namespace unnp::ops::UNNP_ARCH {

template <typename N>
struct Loader;
template <typename T>
struct Loader<Packet<T>> {
  static UNNP_INLINE Packet<T> at(const T* value, const T*, std::int64_t k, int n) {
    return load(value + k, n);
  }
  static UNNP_INLINE Packet<T> scalar(const T* value, const T*, std::int64_t k) {
    return broadcast(value[k]);
  }
};
template <typename T>
struct Loader<Dual<T>> {
  static UNNP_INLINE Dual<T> at(const T* value, const T* tangent, std::int64_t k, int n) {
    return {load(value + k, n), tangent ? load(tangent + k, n) : Packet<T>{}};
  }
  static UNNP_INLINE Dual<T> scalar(const T* value, const T* tangent, std::int64_t k) {
    return {broadcast(value[k]), tangent ? broadcast(tangent[k]) : Packet<T>{}};
  }
};

// `n` neighbouring channels, and one number for all channels.
template <typename N, typename T>
UNNP_INLINE N at(const In<T>& in, std::int64_t k, int n) {
  return Loader<N>::at(in.value, in.tangent, k, n);
}
template <typename N, typename T>
UNNP_INLINE N scalar(const In<T>& in, std::int64_t k) {
  return Loader<N>::scalar(in.value, in.tangent, k);
}

// Of a packet the value is written, of a dual number the tangent.
template <typename T>
UNNP_INLINE Packet<T> written(Packet<T> a) {
  return a;
}
template <typename T>
UNNP_INLINE Packet<T> written(Dual<T> a) {
  return a.tangent;
}
template <typename N, typename T>
UNNP_INLINE void set(const Out<T>& out, std::int64_t k, N a, int n) {
  store(out.p + k, written(a), n);
}
template <typename N, typename T>
UNNP_INLINE void add(const Out<T>& out, std::int64_t k, N a, int n) {
  add(out.p + k, written(a), n);
}
template <typename N, typename T>
UNNP_INLINE void set_sum(const Out<T>& out, std::int64_t k, N a) {
  out.p[k] = sum(written(a));
}

} // namespace unnp::ops::UNNP_ARCH

// Value, gradient and double-backward kernels of one operator, for float and double.
#define UNNP_KERNELS(NAME, IN, OUT)                                                                          \
  void NAME##_value(const IN<float>& in, const OUT<float>& out, const Range& range) {                        \
    NAME##_kernel<Packet<float>, true, false>(in, out, range);                                               \
  }                                                                                                          \
  void NAME##_value(const IN<double>& in, const OUT<double>& out, const Range& range) {                      \
    NAME##_kernel<Packet<double>, true, false>(in, out, range);                                              \
  }                                                                                                          \
  void NAME##_gradient(const IN<float>& in, const OUT<float>& out, const Range& range) {                     \
    NAME##_kernel<Packet<float>, false, true>(in, out, range);                                               \
  }                                                                                                          \
  void NAME##_gradient(const IN<double>& in, const OUT<double>& out, const Range& range) {                   \
    NAME##_kernel<Packet<double>, false, true>(in, out, range);                                              \
  }                                                                                                          \
  void NAME##_double(const IN<float>& in, const OUT<float>& out, const Range& range) {                       \
    NAME##_kernel<Dual<float>, true, true>(in, out, range);                                                  \
  }                                                                                                          \
  void NAME##_double(const IN<double>& in, const OUT<double>& out, const Range& range) {                     \
    NAME##_kernel<Dual<double>, true, true>(in, out, range);                                                 \
  }
