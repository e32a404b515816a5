#include "../aggregate.h"
#include "access.h"

namespace unnp::ops::UNNP_ARCH {
namespace {

template <typename N>
struct Dyad {
  N d[6];
  UNNP_INLINE explicit Dyad(const N (&u)[3])
      : d{u[0] * u[0], u[1] * u[1], u[2] * u[2], u[1] * u[2], u[0] * u[2], u[0] * u[1]} {}
};

template <typename N, typename T = typename N::scalar>
UNNP_INLINE void sum_messages(const AggregateIn<T>& in, const AggregateOut<T>& out, std::int64_t b,
                              std::int64_t i, std::int64_t j, const N (&u)[3]) {
  const std::int64_t m = b * (in.s + in.v + in.t);
  for (int c = 0; c < in.s; c += N::width) {
    const int n = std::min(in.s - c, N::width);
    const N x = at<N>(in.m, m + c, n);
    add(out.value, i + c, x, n);
    add(out.value, j + c, x, n);
  }
  for (int c = 0; c < in.v; c += N::width) {
    const int n = std::min(in.v - c, N::width);
    const N x = at<N>(in.m, m + in.s + c, n);
    for (int k = 0; k < 3; ++k) {
      const std::int64_t column = in.s + k * in.v + c;
      add(out.value, i + column, x * u[k], n);
      add(out.value, j + column, -(x * u[k]), n);
    }
  }
  const Dyad<N> dyad(u);
  for (int c = 0; c < in.t; c += N::width) {
    const int n = std::min(in.t - c, N::width);
    const N x = at<N>(in.m, m + in.s + in.v + c, n);
    for (int k = 0; k < 6; ++k) {
      const std::int64_t column = in.s + 3 * in.v + k * in.t + c;
      add(out.value, i + column, x * dyad.d[k], n);
      add(out.value, j + column, x * dyad.d[k], n);
    }
  }
}

template <typename N, typename T = typename N::scalar>
UNNP_INLINE void gather_gradients(const AggregateIn<T>& in, const AggregateOut<T>& out, std::int64_t b,
                                  std::int64_t i, std::int64_t j, const N (&u)[3]) {
  const std::int64_t m = b * (in.s + in.v + in.t);
  N gu[3] = {constant<N>(0), constant<N>(0), constant<N>(0)};
  for (int c = 0; c < in.s; c += N::width) {
    const int n = std::min(in.s - c, N::width);
    set(out.m, m + c, at<N>(in.g, i + c, n) + at<N>(in.g, j + c, n), n);
  }
  for (int c = 0; c < in.v; c += N::width) {
    const int n = std::min(in.v - c, N::width);
    const N x = at<N>(in.m, m + in.s + c, n);
    N gm = constant<N>(0);
    for (int k = 0; k < 3; ++k) {
      const std::int64_t column = in.s + k * in.v + c;
      const N g = at<N>(in.g, i + column, n) - at<N>(in.g, j + column, n);
      gm = gm + g * u[k];
      gu[k] = gu[k] + g * x;
    }
    set(out.m, m + in.s + c, gm, n);
  }
  const Dyad<N> dyad(u);
  for (int c = 0; c < in.t; c += N::width) {
    const int n = std::min(in.t - c, N::width);
    const N x = at<N>(in.m, m + in.s + in.v + c, n);
    N gm = constant<N>(0), gd[6];
    for (int k = 0; k < 6; ++k) {
      const std::int64_t column = in.s + 3 * in.v + k * in.t + c;
      const N g = at<N>(in.g, i + column, n) + at<N>(in.g, j + column, n);
      gm = gm + g * dyad.d[k];
      gd[k] = g * x;
    }
    set(out.m, m + in.s + in.v + c, gm, n);
    gu[0] = gu[0] + gd[0] * u[0] + gd[0] * u[0] + gd[4] * u[2] + gd[5] * u[1];
    gu[1] = gu[1] + gd[1] * u[1] + gd[1] * u[1] + gd[3] * u[2] + gd[5] * u[0];
    gu[2] = gu[2] + gd[2] * u[2] + gd[2] * u[2] + gd[3] * u[1] + gd[4] * u[0];
  }
  for (int k = 0; k < 3; ++k)
    set_sum(out.u, 3 * b + k, gu[k]);
}

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void aggregate_kernel(const AggregateIn<T>& in, const AggregateOut<T>& out, const Range& range) {
  const std::int64_t width = in.s + 3 * in.v + 6 * in.t;
  for (std::int64_t b = range.begin; b < range.end; ++b) {
    const std::int64_t i = width * range.i[b], j = width * range.j[b];
    const N u[3] = {scalar<N>(in.u, 3 * b), scalar<N>(in.u, 3 * b + 1), scalar<N>(in.u, 3 * b + 2)};
    if constexpr (WantValue)
      sum_messages<N>(in, out, b, i, j, u);
    if constexpr (WantGradient)
      gather_gradients<N>(in, out, b, i, j, u);
  }
}

} // namespace

UNNP_KERNELS(aggregate, AggregateIn, AggregateOut)

} // namespace unnp::ops::UNNP_ARCH
