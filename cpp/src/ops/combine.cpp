// combine: the nonlinearity of a bond, even under exchange of its two atoms, times the cutoff.
//
//   z = f (even_i + even_j) + zb,  d = f (odd_i - odd_j) + db,  out = f (silu(z) + d tanh(d / 2))
//
// The rows of the atoms hold [even, odd]; db may be empty.
#include "differentiable.h"
#include "launch.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

template <typename T> struct CombineIn {
  In<T> atom, zb, db, f, g; // (n, 2 H), (bonds, H), (bonds, H) or null, (bonds), (bonds, H)
  int channels;
};
template <typename T> struct CombineOut {
  Out<T> value;          // (bonds, H)
  Out<T> atom, zb, db, f; // gradients
};

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void combine_kernel(const CombineIn<T> &in, const CombineOut<T> &out, const Range &range) {
  const int channels = in.channels;
  const N one = simd::constant<N>(1);
  for (std::int64_t b = range.begin; b < range.end; ++b) {
    const std::int64_t i = 2 * channels * range.i[b], j = 2 * channels * range.j[b];
    const N f = in.f.template scalar<N>(b);
    N gf = simd::constant<N>(0);
    for (int c = 0; c < channels; c += N::width) {
      const int n = std::min(channels - c, N::width);
      const std::int64_t row = b * channels + c;
      const N even = in.atom.template at<N>(i + c, n) + in.atom.template at<N>(j + c, n);
      const N odd = in.atom.template at<N>(i + channels + c, n) - in.atom.template at<N>(j + channels + c, n);
      const N z = f * even + in.zb.template at<N>(row, n);
      const N d = in.db.value ? f * odd + in.db.template at<N>(row, n) : f * odd;
      const N sigmoid = one / (one + simd::exp(-z));
      const N sigmoid_d = one / (one + simd::exp(-d)); // tanh(d / 2) = 2 sigmoid(d) - 1
      const N tanh_d = sigmoid_d + sigmoid_d - one;
      const N activation = z * sigmoid + d * tanh_d;
      if constexpr (WantValue) out.value.set(row, f * activation, n);
      if constexpr (WantGradient) {
        const N g = in.g.template at<N>(row, n), ga = f * g;
        const N gz = ga * (sigmoid + z * sigmoid * (one - sigmoid)), 
                gd = ga * (tanh_d + (d + d) * sigmoid_d * (one - sigmoid_d));
        gf = gf + g * activation + gz * even + gd * odd;
        out.zb.set(row, gz, n);
        if (out.db.p) out.db.set(row, gd, n);
        const N g_even = f * gz, g_odd = f * gd;
        out.atom.add(i + c, g_even, n);
        out.atom.add(j + c, g_even, n);
        out.atom.add(i + channels + c, g_odd, n);
        out.atom.add(j + channels + c, -g_odd, n);
      }
    }
    if constexpr (WantGradient) out.f.set_sum(b, gf);
  }
}

UNNP_KERNELS(combine, combine_kernel, CombineIn, CombineOut)

// z = {atom, zb, db, f}; h their tangents or empty.
template <typename T> CombineIn<T> combine_in(const variable_list &z, const variable_list &h, const Tensor &g) {
  const auto field = [&](std::size_t k) { return reader<T>(z[k], h.empty() ? Tensor() : h[k]); };
  return {field(0), field(1), field(2), field(3), reader<T>(g), static_cast<int>(z[1].size(1))};
}

struct Combine {
  static Tensor forward(const variable_list &z, const Tensor &index, const Sizes &) {
    Tensor value = torch::empty_like(z[1]);
    AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "unnp::combine", [&] {
      const auto in = combine_in<scalar_t>(z, {}, Tensor());
      const CombineOut<scalar_t> out{{write<scalar_t>(value)}, {}, {}, {}, {}};
      over_bonds(index, {}, [&](const Range &range, const auto &) { combine_value(in, out, range); });
    });
    return value;
  }

  static variable_list backward(const Tensor &g, const variable_list &z, const Tensor &index, const Sizes &) {
    variable_list grads = gradients(z);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::combine", [&] {
      const auto in = combine_in<scalar_t>(z, {}, g);
      over_bonds(index, {grads[0]}, [&](const Range &range, const auto &rows) {
        combine_gradient(in, outputs<scalar_t>(Tensor(), rows, grads), range);
      });
    });
    return grads;
  }

  static variable_list double_backward(const Tensor &g, const variable_list &z, const Tensor &index, const Sizes &,
                                       const variable_list &h) {
    variable_list grads = gradients(z);
    const Tensor value = torch::empty_like(g);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::combine", [&] {
      const auto in = combine_in<scalar_t>(z, h, g);
      over_bonds(index, {grads[0]}, [&](const Range &range, const auto &rows) {
        combine_double(in, outputs<scalar_t>(value, rows, grads), range);
      });
    });
    grads.insert(grads.begin(), value);
    return grads;
  }

private:
  static variable_list gradients(const variable_list &z) {
    return {torch::zeros_like(z[0]), torch::empty_like(z[1]), torch::empty_like(z[2]), torch::empty_like(z[3])};
  }
  template <typename T>
  static CombineOut<T> outputs(const Tensor &value, const std::vector<Tensor> &rows, const variable_list &grads) {
    return {{value.defined() ? write<T>(value) : nullptr},
            {write<T>(rows[0])},
            {write<T>(grads[1])},
            {write<T>(grads[2])},
            {write<T>(grads[3])}};
  }
};

Tensor combine(const Tensor &atom, const Tensor &zb, const Tensor &db, const Tensor &f, const Tensor &index) {
  return Combine::forward(contiguous({atom, zb, db, f}), index.contiguous(), {});
}
Tensor combine_autograd(const Tensor &atom, const Tensor &zb, const Tensor &db, const Tensor &f, const Tensor &index) {
  return differentiable<Combine>(contiguous({atom, zb, db, f}), index.contiguous(), {});
}

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("combine(Tensor atom, Tensor zb, Tensor db, Tensor f, Tensor bond_index) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) { library.impl("combine", combine); }
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) { library.impl("combine", combine_autograd); }

} // namespace unnp::ops
