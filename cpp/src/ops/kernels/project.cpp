#include "../project.h"
#include "access.h"

namespace unnp::ops::UNNP_ARCH {
namespace {

// T u for a symmetric tensor in the order xx, yy, zz, yz, xz, xy.
template <typename N, typename T = typename N::scalar>
struct Rows {
  N v[3], t[6];
  UNNP_INLINE Rows(const In<T>& vectors, const In<T>& tensors, std::int64_t atom, int channels, int c,
                   int n) {
    for (int k = 0; k < 3; ++k)
      v[k] = at<N>(vectors, (atom * 3 + k) * channels + c, n);
    for (int k = 0; k < 6; ++k)
      t[k] = at<N>(tensors, (atom * 6 + k) * channels + c, n);
  }
  UNNP_INLINE void apply(const N (&u)[3], N (&result)[3]) const {
    result[0] = t[0] * u[0] + t[5] * u[1] + t[4] * u[2];
    result[1] = t[5] * u[0] + t[1] * u[1] + t[3] * u[2];
    result[2] = t[4] * u[0] + t[3] * u[1] + t[2] * u[2];
  }
};
template <typename N>
UNNP_INLINE N dot(const N (&a)[3], const N (&b)[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

// Adds the gradient of w = v + s T u (s = +-1) to the rows of one atom.
template <typename N, typename T>
UNNP_INLINE void add_rows(const ProjectOut<T>& out, std::int64_t atom, int channels, int c, int n,
                          const N (&gw)[3], const N (&su)[3]) {
  for (int k = 0; k < 3; ++k)
    add(out.v, (atom * 3 + k) * channels + c, gw[k], n);
  const N gt[6] = {gw[0] * su[0],
                   gw[1] * su[1],
                   gw[2] * su[2],
                   gw[1] * su[2] + gw[2] * su[1],
                   gw[0] * su[2] + gw[2] * su[0],
                   gw[0] * su[1] + gw[1] * su[0]};
  for (int k = 0; k < 6; ++k)
    add(out.t, (atom * 6 + k) * channels + c, gt[k], n);
}

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void project_kernel(const ProjectIn<T>& in, const ProjectOut<T>& out, const Range& range) {
  const int channels = in.channels;
  for (std::int64_t b = range.begin; b < range.end; ++b) {
    const std::int64_t i = range.i[b], j = range.j[b];
    const N u[3] = {scalar<N>(in.u, 3 * b), scalar<N>(in.u, 3 * b + 1), scalar<N>(in.u, 3 * b + 2)};
    const N minus_u[3] = {-u[0], -u[1], -u[2]};
    const N f = scalar<N>(in.f, b);
    N gu[3] = {constant<N>(0), constant<N>(0), constant<N>(0)}, gf = constant<N>(0);
    for (int c = 0; c < channels; c += N::width) {
      const int n = std::min(channels - c, N::width);
      const Rows<N> row_i(in.v, in.t, i, channels, c, n), row_j(in.v, in.t, j, channels, c, n);
      N ti[3], tj[3];
      row_i.apply(u, ti);
      row_j.apply(u, tj);
      const N wi[3] = {row_i.v[0] + ti[0], row_i.v[1] + ti[1], row_i.v[2] + ti[2]};
      const N wj[3] = {row_j.v[0] - tj[0], row_j.v[1] - tj[1], row_j.v[2] - tj[2]};
      const N pi = dot(wi, u), pj = -dot(wj, u), q = dot(wi, wj);
      const N a = at<N>(in.a, b * channels + c, n), plus = f * (pi + pj), minus = f * (pi - pj);
      const std::int64_t row = 5 * b * channels + c;
      if constexpr (WantValue) {
        set(out.value, row, plus, n);
        set(out.value, row + channels, a * plus, n);
        set(out.value, row + 2 * channels, f * q, n);
        set(out.value, row + 3 * channels, minus, n);
        set(out.value, row + 4 * channels, a * minus, n);
      }
      if constexpr (WantGradient) {
        const N g2 = at<N>(in.g, row + channels, n), g3 = at<N>(in.g, row + 2 * channels, n),
                g5 = at<N>(in.g, row + 4 * channels, n);
        const N g_plus = at<N>(in.g, row, n) + a * g2, g_minus = at<N>(in.g, row + 3 * channels, n) + a * g5;
        set(out.a, b * channels + c, plus * g2 + minus * g5, n);
        gf = gf + g_plus * (pi + pj) + g_minus * (pi - pj) + g3 * q;
        const N gpi = f * (g_plus + g_minus), gpj = f * (g_plus - g_minus), gq = f * g3;
        N gwi[3], gwj[3], from_i[3], from_j[3];
        for (int k = 0; k < 3; ++k) {
          gwi[k] = gpi * u[k] + gq * wj[k];
          gwj[k] = gq * wi[k] - gpj * u[k];
        }
        row_i.apply(gwi, from_i);
        row_j.apply(gwj, from_j);
        for (int k = 0; k < 3; ++k)
          gu[k] = gu[k] + gpi * wi[k] - gpj * wj[k] + from_i[k] - from_j[k];
        add_rows<N, T>(out, i, channels, c, n, gwi, u);
        add_rows<N, T>(out, j, channels, c, n, gwj, minus_u);
      }
    }
    if constexpr (WantGradient) {
      for (int k = 0; k < 3; ++k)
        set_sum(out.u, 3 * b + k, gu[k]);
      set_sum(out.f, b, gf);
    }
  }
}

} // namespace

UNNP_KERNELS(project, ProjectIn, ProjectOut)

} // namespace unnp::ops::UNNP_ARCH
