// What a kernel reads and writes: rows of numbers, with a tangent beside them where the kernel runs on dual numbers.
#pragma once

#include "simd.h"

#include <cstdint>

namespace unnp::ops {

using simd::Dual;
using simd::Packet;

template <typename N> struct Loader;
template <typename T, int B> struct Loader<Packet<T, B>> {
  static UNNP_INLINE Packet<T, B> at(const T *value, const T *, std::int64_t k, int n) {
    return simd::load<T, B>(value + k, n);
  }
  static UNNP_INLINE Packet<T, B> scalar(const T *value, const T *, std::int64_t k) {
    return simd::broadcast<T, B>(value[k]);
  }
};
template <typename T, int B> struct Loader<Dual<T, B>> {
  static UNNP_INLINE Dual<T, B> at(const T *value, const T *tangent, std::int64_t k, int n) {
    return {simd::load<T, B>(value + k, n), tangent ? simd::load<T, B>(tangent + k, n) : Packet<T, B>{}};
  }
  static UNNP_INLINE Dual<T, B> scalar(const T *value, const T *tangent, std::int64_t k) {
    return {simd::broadcast<T, B>(value[k]), tangent ? simd::broadcast<T, B>(tangent[k]) : Packet<T, B>{}};
  }
};

// Rows to read as numbers N; a null tangent means constant.
template <typename T> struct In {
  const T *value = nullptr;
  const T *tangent = nullptr;
  // neighbouring channels
  template <typename N> UNNP_INLINE N at(std::int64_t k, int n) const { return Loader<N>::at(value, tangent, k, n); }
  // one number for all channels
  template <typename N> UNNP_INLINE N scalar(std::int64_t k) const { return Loader<N>::scalar(value, tangent, k); }
};

// Rows to write: the value of a packet, the tangent of a dual number.
template <typename T, int B> UNNP_INLINE Packet<T, B> written(Packet<T, B> a) { return a; }
template <typename T, int B> UNNP_INLINE Packet<T, B> written(Dual<T, B> a) { return a.tangent; }

template <typename T> struct Out {
  T *p = nullptr;
  template <typename N> UNNP_INLINE void set(std::int64_t k, N a, int n) const { simd::store(p + k, written(a), n); }
  template <typename N> UNNP_INLINE void add(std::int64_t k, N a, int n) const { simd::add(p + k, written(a), n); }
  template <typename N> UNNP_INLINE void set_sum(std::int64_t k, N a) const { p[k] = simd::sum(written(a)); }
};

// A range of bonds and their two atoms.
struct Range {
  const std::int64_t *i, *j;
  std::int64_t begin, end;
};

} // namespace unnp::ops
