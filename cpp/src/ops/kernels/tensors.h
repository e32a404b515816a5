// Vectors and symmetric tensors of an atom, for several channels at once.
#pragma once

#include "access.h"

namespace unnp::ops::UNNP_ARCH {

template <typename N>
struct Vector {
  N x[3];
};
// In the order xx, yy, zz, yz, xz, xy.
template <typename N>
struct Symmetric {
  N x[6];
};

template <typename N>
UNNP_INLINE N dot(const Vector<N>& a, const Vector<N>& b) {
  return a.x[0] * b.x[0] + a.x[1] * b.x[1] + a.x[2] * b.x[2];
}
template <typename N>
UNNP_INLINE N dot(const Symmetric<N>& a, const Symmetric<N>& b) {
  const N beside = a.x[3] * b.x[3] + a.x[4] * b.x[4] + a.x[5] * b.x[5];
  return a.x[0] * b.x[0] + a.x[1] * b.x[1] + a.x[2] * b.x[2] + beside + beside;
}
template <typename N>
UNNP_INLINE Vector<N> times(N f, const Vector<N>& a) {
  return {{f * a.x[0], f * a.x[1], f * a.x[2]}};
}
template <typename N>
UNNP_INLINE Symmetric<N> times(N f, const Symmetric<N>& a) {
  return {{f * a.x[0], f * a.x[1], f * a.x[2], f * a.x[3], f * a.x[4], f * a.x[5]}};
}

// Rows of one atom; `step` is the distance of two components.
template <typename N, typename T>
UNNP_INLINE Vector<N> vector_at(const In<T>& in, std::int64_t k, int step, int n) {
  return {{at<N>(in, k, n), at<N>(in, k + step, n), at<N>(in, k + 2 * step, n)}};
}
template <typename N, typename T>
UNNP_INLINE Symmetric<N> symmetric_at(const In<T>& in, std::int64_t k, int step, int n) {
  return {{at<N>(in, k, n), at<N>(in, k + step, n), at<N>(in, k + 2 * step, n), at<N>(in, k + 3 * step, n),
           at<N>(in, k + 4 * step, n), at<N>(in, k + 5 * step, n)}};
}
template <typename N, typename T>
UNNP_INLINE void write(const Out<T>& out, std::int64_t k, int step, const Vector<N>& a, int n) {
  for (int component = 0; component < 3; ++component)
    set(out, k + component * step, a.x[component], n);
}
template <typename N, typename T>
UNNP_INLINE void write(const Out<T>& out, std::int64_t k, int step, const Symmetric<N>& a, int n) {
  for (int component = 0; component < 6; ++component)
    set(out, k + component * step, a.x[component], n);
}
// The gradient with respect to the six components, of which those beside the diagonal stand for two each.
template <typename N, typename T>
UNNP_INLINE void write_gradient(const Out<T>& out, std::int64_t k, int step, const Symmetric<N>& g, int n) {
  write(out, k, step,
        Symmetric<N>{{g.x[0], g.x[1], g.x[2], g.x[3] + g.x[3], g.x[4] + g.x[4], g.x[5] + g.x[5]}}, n);
}

} // namespace unnp::ops::UNNP_ARCH
