// aggregate: sums of bond messages on atoms, as scalars, along the bond, and along its dyad.
//
//   rows of atom i: [sum m_s | sum m_v u | sum m_t u (x) u], u pointing away from the atom
//   layout: s (S), v (3, V), t (6, R) in the order xx, yy, zz, yz, xz, xy
#include "differentiable.h"
#include "launch.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

template <typename T> struct AggregateIn {
  In<T> m, u, g; // (bonds, S + V + R), (bonds, 3), (n, S + 3 V + 6 R)
  int s, v, t;
};
template <typename T> struct AggregateOut {
  Out<T> value; // (n, S + 3 V + 6 R)
  Out<T> m, u;  // gradients
};

template <typename N> struct Dyad {
  N d[6];
  UNNP_INLINE explicit Dyad(const N (&u)[3])
      : d{u[0] * u[0], u[1] * u[1], u[2] * u[2], u[1] * u[2], u[0] * u[2], u[0] * u[1]} {}
};

template <typename N, typename T = typename N::scalar>
UNNP_INLINE void sum_messages(const AggregateIn<T> &in, const AggregateOut<T> &out, std::int64_t b, std::int64_t i,
                                 std::int64_t j, const N (&u)[3]) {
  const std::int64_t m = b * (in.s + in.v + in.t);
  for (int c = 0; c < in.s; c += N::width) {
    const int n = std::min(in.s - c, N::width);
    const N x = in.m.template at<N>(m + c, n);
    out.value.add(i + c, x, n);
    out.value.add(j + c, x, n);
  }
  for (int c = 0; c < in.v; c += N::width) {
    const int n = std::min(in.v - c, N::width);
    const N x = in.m.template at<N>(m + in.s + c, n);
    for (int k = 0; k < 3; ++k) {
      const std::int64_t at = in.s + k * in.v + c;
      out.value.add(i + at, x * u[k], n);
      out.value.add(j + at, -(x * u[k]), n);
    }
  }
  const Dyad<N> dyad(u);
  for (int c = 0; c < in.t; c += N::width) {
    const int n = std::min(in.t - c, N::width);
    const N x = in.m.template at<N>(m + in.s + in.v + c, n);
    for (int k = 0; k < 6; ++k) {
      const std::int64_t at = in.s + 3 * in.v + k * in.t + c;
      out.value.add(i + at, x * dyad.d[k], n);
      out.value.add(j + at, x * dyad.d[k], n);
    }
  }
}

template <typename N, typename T = typename N::scalar>
UNNP_INLINE void gather_gradients(const AggregateIn<T> &in, const AggregateOut<T> &out, std::int64_t b,
                                    std::int64_t i, std::int64_t j, const N (&u)[3]) {
  const std::int64_t m = b * (in.s + in.v + in.t);
  N gu[3] = {simd::constant<N>(0), simd::constant<N>(0), simd::constant<N>(0)};
  for (int c = 0; c < in.s; c += N::width) {
    const int n = std::min(in.s - c, N::width);
    out.m.set(m + c, in.g.template at<N>(i + c, n) + in.g.template at<N>(j + c, n), n);
  }
  for (int c = 0; c < in.v; c += N::width) {
    const int n = std::min(in.v - c, N::width);
    const N x = in.m.template at<N>(m + in.s + c, n);
    N gm = simd::constant<N>(0);
    for (int k = 0; k < 3; ++k) {
      const std::int64_t at = in.s + k * in.v + c;
      const N g = in.g.template at<N>(i + at, n) - in.g.template at<N>(j + at, n);
      gm = gm + g * u[k];
      gu[k] = gu[k] + g * x;
    }
    out.m.set(m + in.s + c, gm, n);
  }
  const Dyad<N> dyad(u);
  for (int c = 0; c < in.t; c += N::width) {
    const int n = std::min(in.t - c, N::width);
    const N x = in.m.template at<N>(m + in.s + in.v + c, n);
    N gm = simd::constant<N>(0), gd[6];
    for (int k = 0; k < 6; ++k) {
      const std::int64_t at = in.s + 3 * in.v + k * in.t + c;
      const N g = in.g.template at<N>(i + at, n) + in.g.template at<N>(j + at, n);
      gm = gm + g * dyad.d[k];
      gd[k] = g * x;
    }
    out.m.set(m + in.s + in.v + c, gm, n);
    gu[0] = gu[0] + gd[0] * u[0] + gd[0] * u[0] + gd[4] * u[2] + gd[5] * u[1];
    gu[1] = gu[1] + gd[1] * u[1] + gd[1] * u[1] + gd[3] * u[2] + gd[5] * u[0];
    gu[2] = gu[2] + gd[2] * u[2] + gd[2] * u[2] + gd[3] * u[1] + gd[4] * u[0];
  }
  for (int k = 0; k < 3; ++k) out.u.set_sum(3 * b + k, gu[k]);
}

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void aggregate_kernel(const AggregateIn<T> &in, const AggregateOut<T> &out, const Range &range) {
  const std::int64_t width = in.s + 3 * in.v + 6 * in.t;
  for (std::int64_t b = range.begin; b < range.end; ++b) {
    const std::int64_t i = width * range.i[b], j = width * range.j[b];
    const N u[3] = {in.u.template scalar<N>(3 * b), in.u.template scalar<N>(3 * b + 1), in.u.template scalar<N>(3 * b + 2)};
    if constexpr (WantValue) sum_messages<N>(in, out, b, i, j, u);
    if constexpr (WantGradient) gather_gradients<N>(in, out, b, i, j, u);
  }
}

UNNP_KERNELS(aggregate, aggregate_kernel, AggregateIn, AggregateOut)

// z = {messages, u}; h their tangents or empty; sizes = {n_all, S, V, R}.
template <typename T>
AggregateIn<T> aggregate_in(const variable_list &z, const variable_list &h, const Tensor &g, const Sizes &sizes) {
  const auto field = [&](std::size_t k) { return reader<T>(z[k], h.empty() ? Tensor() : h[k]); };
  return {field(0),
          field(1),
          reader<T>(g),
          static_cast<int>(sizes[1]),
          static_cast<int>(sizes[2]),
          static_cast<int>(sizes[3])};
}

struct Aggregate {
  static Tensor forward(const variable_list &z, const Tensor &index, const Sizes &sizes) {
    Tensor value = zero_rows(z, sizes);
    AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "unnp::aggregate", [&] {
      const auto in = aggregate_in<scalar_t>(z, {}, Tensor(), sizes);
      over_bonds(index, {value}, [&](const Range &range, const auto &rows) {
        aggregate_value(in, AggregateOut<scalar_t>{{write<scalar_t>(rows[0])}, {}, {}}, range);
      });
    });
    return value;
  }

  static variable_list backward(const Tensor &g, const variable_list &z, const Tensor &index, const Sizes &sizes) {
    variable_list grads{torch::empty_like(z[0]), torch::empty_like(z[1])};
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::aggregate", [&] {
      const auto in = aggregate_in<scalar_t>(z, {}, g, sizes);
      const AggregateOut<scalar_t> out{{}, {write<scalar_t>(grads[0])}, {write<scalar_t>(grads[1])}};
      over_bonds(index, {}, [&](const Range &range, const auto &) { aggregate_gradient(in, out, range); });
    });
    return grads;
  }

  static variable_list double_backward(const Tensor &g, const variable_list &z, const Tensor &index, const Sizes &sizes,
                                       const variable_list &h) {
    const Tensor value = zero_rows(z, sizes);
    variable_list grads{value, torch::empty_like(z[0]), torch::empty_like(z[1])};
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::aggregate", [&] {
      const auto in = aggregate_in<scalar_t>(z, h, g, sizes);
      over_bonds(index, {value}, [&](const Range &range, const auto &rows) {
        aggregate_double(in,
                          AggregateOut<scalar_t>{{write<scalar_t>(rows[0])},
                                                 {write<scalar_t>(grads[1])},
                                                 {write<scalar_t>(grads[2])}},
                          range);
      });
    });
    return grads;
  }

private:
  static Tensor zero_rows(const variable_list &z, const Sizes &sizes) {
    return torch::zeros({sizes[0], sizes[1] + 3 * sizes[2] + 6 * sizes[3]}, z[0].options());
  }
};

Tensor aggregate(const Tensor &m, const Tensor &u, const Tensor &index, std::int64_t n_all, std::int64_t vectors,
                 std::int64_t tensors) {
  const Sizes sizes{n_all, m.size(1) - vectors - tensors, vectors, tensors};
  return Aggregate::forward(contiguous({m, u}), index.contiguous(), sizes);
}
Tensor aggregate_autograd(const Tensor &m, const Tensor &u, const Tensor &index, std::int64_t n_all,
                          std::int64_t vectors, std::int64_t tensors) {
  const Sizes sizes{n_all, m.size(1) - vectors - tensors, vectors, tensors};
  return differentiable<Aggregate>(contiguous({m, u}), index.contiguous(), sizes);
}

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("aggregate(Tensor messages, Tensor unit, Tensor bond_index, int n_all, int vectors, int tensors) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) { library.impl("aggregate", aggregate); }
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) { library.impl("aggregate", aggregate_autograd); }

} // namespace unnp::ops
