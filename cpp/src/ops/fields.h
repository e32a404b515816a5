// What a kernel reads and writes: rows of numbers, with a tangent beside them where the kernel runs on dual numbers.
#pragma once

#include "simd.h"

#include <cstdint>

namespace unnp::ops {

using simd::Dual;
using simd::Packet;

// Rows to read. `at` gives neighbouring channels, `scalar` one number for all channels.
template <typename N> struct In;
template <typename T> struct In<Packet<T>> {
  const T *value = nullptr;
  UNNP_INLINE Packet<T> at(std::int64_t k, int n) const { return simd::load(value + k, n); }
  UNNP_INLINE Packet<T> scalar(std::int64_t k) const { return simd::broadcast(value[k]); }
};
template <typename T> struct In<Dual<T>> {
  const T *value = nullptr;
  const T *tangent = nullptr; // null: constant
  UNNP_INLINE Dual<T> at(std::int64_t k, int n) const {
    return {simd::load(value + k, n), tangent ? simd::load(tangent + k, n) : Packet<T>{}};
  }
  UNNP_INLINE Dual<T> scalar(std::int64_t k) const {
    return {simd::broadcast(value[k]), tangent ? simd::broadcast(tangent[k]) : Packet<T>{}};
  }
};

// Rows to write: the value of a packet, the tangent of a dual number.
template <typename T> UNNP_INLINE Packet<T> written(Packet<T> a) { return a; }
template <typename T> UNNP_INLINE Packet<T> written(Dual<T> a) { return a.tangent; }

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
