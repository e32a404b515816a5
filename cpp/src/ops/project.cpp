// project: the scalars that two atoms' vectors and tensors make with the bond between them, times cutoff and amplitude.
//
//   w_i = v_i + T_i u, w_j = v_j - T_j u, p_i = w_i . u, p_j = -w_j . u, q = w_i . w_j
//   out = [f (p_i + p_j), a f (p_i + p_j), f q, f (p_i - p_j), a f (p_i - p_j)]
#include "differentiable.h"
#include "launch.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

template <typename T> struct ProjectIn {
  In<T> v, t, a, f, u, g; // (n, 3, C), (n, 6, C), (bonds, C), (bonds), (bonds, 3), (bonds, 5 C)
  int channels;
};
template <typename T> struct ProjectOut {
  Out<T> value;            // (bonds, 5 C)
  Out<T> v, t, a, f, u;    // gradients
};

// T u for a symmetric tensor in the order xx, yy, zz, yz, xz, xy.
template <typename N, typename T = typename N::scalar> struct Rows {
  N v[3], t[6];
  UNNP_INLINE Rows(const In<T> &vectors, const In<T> &tensors, std::int64_t atom, int channels, int c, int n) {
    for (int k = 0; k < 3; ++k) v[k] = vectors.template at<N>((atom * 3 + k) * channels + c, n);
    for (int k = 0; k < 6; ++k) t[k] = tensors.template at<N>((atom * 6 + k) * channels + c, n);
  }
  UNNP_INLINE void apply(const N (&u)[3], N (&result)[3]) const {
    result[0] = t[0] * u[0] + t[5] * u[1] + t[4] * u[2];
    result[1] = t[5] * u[0] + t[1] * u[1] + t[3] * u[2];
    result[2] = t[4] * u[0] + t[3] * u[1] + t[2] * u[2];
  }
};
template <typename N> UNNP_INLINE N dot(const N (&a)[3], const N (&b)[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

// Adds the gradient of w = v + s T u (s = +-1) to the rows of one atom.
template <typename N, typename T>
UNNP_INLINE void add_rows(const ProjectOut<T> &out, std::int64_t atom, int channels, int c, int n, const N (&gw)[3],
                          const N (&su)[3]) {
  for (int k = 0; k < 3; ++k) out.v.add((atom * 3 + k) * channels + c, gw[k], n);
  const N gt[6] = {gw[0] * su[0],
                   gw[1] * su[1],
                   gw[2] * su[2],
                   gw[1] * su[2] + gw[2] * su[1],
                   gw[0] * su[2] + gw[2] * su[0],
                   gw[0] * su[1] + gw[1] * su[0]};
  for (int k = 0; k < 6; ++k) out.t.add((atom * 6 + k) * channels + c, gt[k], n);
}

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void project_kernel(const ProjectIn<T> &in, const ProjectOut<T> &out, const Range &range) {
  const int channels = in.channels;
  for (std::int64_t b = range.begin; b < range.end; ++b) {
    const std::int64_t i = range.i[b], j = range.j[b];
    const N u[3] = {in.u.template scalar<N>(3 * b), in.u.template scalar<N>(3 * b + 1), in.u.template scalar<N>(3 * b + 2)};
    const N minus_u[3] = {-u[0], -u[1], -u[2]};
    const N f = in.f.template scalar<N>(b);
    N gu[3] = {simd::constant<N>(0), simd::constant<N>(0), simd::constant<N>(0)}, gf = simd::constant<N>(0);
    for (int c = 0; c < channels; c += N::width) {
      const int n = std::min(channels - c, N::width);
      const Rows<N> row_i(in.v, in.t, i, channels, c, n), row_j(in.v, in.t, j, channels, c, n);
      N ti[3], tj[3];
      row_i.apply(u, ti);
      row_j.apply(u, tj);
      const N wi[3] = {row_i.v[0] + ti[0], row_i.v[1] + ti[1], row_i.v[2] + ti[2]};
      const N wj[3] = {row_j.v[0] - tj[0], row_j.v[1] - tj[1], row_j.v[2] - tj[2]};
      const N pi = dot(wi, u), pj = -dot(wj, u), q = dot(wi, wj);
      const N a = in.a.template at<N>(b * channels + c, n), plus = f * (pi + pj), minus = f * (pi - pj);
      const std::int64_t row = 5 * b * channels + c;
      if constexpr (WantValue) {
        out.value.set(row, plus, n);
        out.value.set(row + channels, a * plus, n);
        out.value.set(row + 2 * channels, f * q, n);
        out.value.set(row + 3 * channels, minus, n);
        out.value.set(row + 4 * channels, a * minus, n);
      }
      if constexpr (WantGradient) {
        const N g2 = in.g.template at<N>(row + channels, n), g3 = in.g.template at<N>(row + 2 * channels, n),
                g5 = in.g.template at<N>(row + 4 * channels, n);
        const N g_plus = in.g.template at<N>(row, n) + a * g2, g_minus = in.g.template at<N>(row + 3 * channels, n) + a * g5;
        out.a.set(b * channels + c, plus * g2 + minus * g5, n);
        gf = gf + g_plus * (pi + pj) + g_minus * (pi - pj) + g3 * q;
        const N gpi = f * (g_plus + g_minus), gpj = f * (g_plus - g_minus), gq = f * g3;
        N gwi[3], gwj[3], from_i[3], from_j[3];
        for (int k = 0; k < 3; ++k) {
          gwi[k] = gpi * u[k] + gq * wj[k];
          gwj[k] = gq * wi[k] - gpj * u[k];
        }
        row_i.apply(gwi, from_i);
        row_j.apply(gwj, from_j);
        for (int k = 0; k < 3; ++k) gu[k] = gu[k] + gpi * wi[k] - gpj * wj[k] + from_i[k] - from_j[k];
        add_rows<N, T>(out, i, channels, c, n, gwi, u);
        add_rows<N, T>(out, j, channels, c, n, gwj, minus_u);
      }
    }
    if constexpr (WantGradient) {
      for (int k = 0; k < 3; ++k) out.u.set_sum(3 * b + k, gu[k]);
      out.f.set_sum(b, gf);
    }
  }
}

UNNP_KERNELS(project, project_kernel, ProjectIn, ProjectOut)

// z = {v, t, a, f, u}; h their tangents or empty.
template <typename T> ProjectIn<T> project_in(const variable_list &z, const variable_list &h, const Tensor &g) {
  const auto field = [&](std::size_t k) { return reader<T>(z[k], h.empty() ? Tensor() : h[k]); };
  return {field(0), field(1), field(2), field(3), field(4), reader<T>(g), static_cast<int>(z[0].size(2))};
}

struct Project {
  static Tensor forward(const variable_list &z, const Tensor &index, const Sizes &) {
    Tensor value = torch::empty({index.size(1), 5 * z[0].size(2)}, z[0].options());
    AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "unnp::project", [&] {
      const auto in = project_in<scalar_t>(z, {}, Tensor());
      const ProjectOut<scalar_t> out{{write<scalar_t>(value)}, {}, {}, {}, {}, {}};
      over_bonds(index, {}, [&](const Range &range, const auto &) { project_value(in, out, range); });
    });
    return value;
  }

  static variable_list backward(const Tensor &g, const variable_list &z, const Tensor &index, const Sizes &) {
    variable_list grads = gradients(z);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::project", [&] {
      const auto in = project_in<scalar_t>(z, {}, g);
      over_bonds(index, {grads[0], grads[1]}, [&](const Range &range, const auto &rows) {
        project_gradient(in, outputs<scalar_t>(Tensor(), rows, grads), range);
      });
    });
    return grads;
  }

  static variable_list double_backward(const Tensor &g, const variable_list &z, const Tensor &index, const Sizes &,
                                       const variable_list &h) {
    variable_list grads = gradients(z);
    const Tensor value = torch::empty_like(g);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::project", [&] {
      const auto in = project_in<scalar_t>(z, h, g);
      over_bonds(index, {grads[0], grads[1]}, [&](const Range &range, const auto &rows) {
        project_double(in, outputs<scalar_t>(value, rows, grads), range);
      });
    });
    grads.insert(grads.begin(), value);
    return grads;
  }

private:
  static variable_list gradients(const variable_list &z) {
    return {torch::zeros_like(z[0]), torch::zeros_like(z[1]), torch::empty_like(z[2]), torch::empty_like(z[3]),
            torch::empty_like(z[4])};
  }
  template <typename T>
  static ProjectOut<T> outputs(const Tensor &value, const std::vector<Tensor> &rows, const variable_list &grads) {
    return {{value.defined() ? write<T>(value) : nullptr}, {write<T>(rows[0])},  {write<T>(rows[1])},
            {write<T>(grads[2])},                          {write<T>(grads[3])}, {write<T>(grads[4])}};
  }
};

Tensor project(const Tensor &v, const Tensor &t, const Tensor &a, const Tensor &f, const Tensor &u,
               const Tensor &index) {
  return Project::forward(contiguous({v, t, a, f, u}), index.contiguous(), {});
}
Tensor project_autograd(const Tensor &v, const Tensor &t, const Tensor &a, const Tensor &f, const Tensor &u,
                        const Tensor &index) {
  return differentiable<Project>(contiguous({v, t, a, f, u}), index.contiguous(), {});
}

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("project(Tensor v, Tensor t, Tensor a, Tensor f, Tensor unit, Tensor bond_index) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) { library.impl("project", project); }
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) { library.impl("project", project_autograd); }

} // namespace unnp::ops
