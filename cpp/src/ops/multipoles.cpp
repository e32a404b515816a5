#include "multipoles.h"

#include "checks.h"
#include "differentiable.h"
#include "launch.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {weights, harmonics}; h their tangents or empty; sizes = {n_all, first}; sign as in MultipolesIn.
template <typename T>
MultipolesIn<T> multipoles_in(const variable_list& z, const variable_list& h, const Tensor& g,
                              const Tensor& sign) {
  const auto field = [&](std::size_t k) { return reader<T>(z[k], h.empty() ? Tensor() : h[k]); };
  return {
      field(0),       field(1), reader<T>(g), static_cast<int>(z[0].size(1)), static_cast<int>(z[1].size(1)),
      reader<T>(sign)};
}

// Of the components of all degrees from `first` on; empty where there are none, or a degree is not complete.
Tensor signs(std::int64_t first, std::int64_t components, const Tensor& like) {
  std::vector<double> sign;
  for (std::int64_t l = first; static_cast<std::int64_t>(sign.size()) < components; ++l)
    sign.insert(sign.end(), static_cast<std::size_t>(2 * l + 1), l % 2 == 0 ? 1.0 : -1.0);
  if (static_cast<std::int64_t>(sign.size()) != components)
    sign.clear();
  return torch::tensor(sign, like.options());
}

struct Multipoles {
  static Tensor forward(const variable_list& z, const Tensor& index, const Sizes& sizes) {
    Tensor value = zero_rows(z, sizes);
    const Tensor sign = signs(sizes[1], z[1].size(1), z[1]);
    AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "unnp::multipoles", [&] {
      const auto in = multipoles_in<scalar_t>(z, {}, Tensor(), sign);
      over_bonds(index, {value}, [&](const Range& range, const auto& rows) {
        multipoles_value(in, MultipolesOut<scalar_t>{{write<scalar_t>(rows[0])}, {}, {}}, range);
      });
    });
    return value;
  }

  static variable_list backward(const Tensor& g, const variable_list& z, const Tensor& index,
                                const Sizes& sizes) {
    variable_list grads{torch::empty_like(z[0]), torch::empty_like(z[1])};
    const Tensor sign = signs(sizes[1], z[1].size(1), z[1]);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::multipoles", [&] {
      const auto in = multipoles_in<scalar_t>(z, {}, g, sign);
      const MultipolesOut<scalar_t> out{{}, {write<scalar_t>(grads[0])}, {write<scalar_t>(grads[1])}};
      over_bonds(index, {}, [&](const Range& range, const auto&) { multipoles_gradient(in, out, range); });
    });
    return grads;
  }

  static variable_list double_backward(const Tensor& g, const variable_list& z, const Tensor& index,
                                       const Sizes& sizes, const variable_list& h) {
    const Tensor value = zero_rows(z, sizes), sign = signs(sizes[1], z[1].size(1), z[1]);
    variable_list grads{value, torch::empty_like(z[0]), torch::empty_like(z[1])};
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::multipoles", [&] {
      const auto in = multipoles_in<scalar_t>(z, h, g, sign);
      over_bonds(index, {value}, [&](const Range& range, const auto& rows) {
        multipoles_double(in,
                          MultipolesOut<scalar_t>{{write<scalar_t>(rows[0])},
                                                  {write<scalar_t>(grads[1])},
                                                  {write<scalar_t>(grads[2])}},
                          range);
      });
    });
    return grads;
  }

private:
  static Tensor zero_rows(const variable_list& z, const Sizes& sizes) {
    return torch::zeros({sizes[0], z[0].size(1) * z[1].size(1)}, z[0].options());
  }
};

Sizes checked(const Tensor& w, const Tensor& y, const Tensor& index, std::int64_t n_all, std::int64_t first) {
  check_bonds("multipoles", index, n_all);
  check_shape("multipoles", "weights", w, w, {index.size(1), -1});
  check_shape("multipoles", "harmonics", y, w, {index.size(1), -1});
  const bool few = first >= 0 && first <= max_components && y.size(1) > 0 && y.size(1) <= max_components;
  TORCH_CHECK(n_all >= 0 && few && w.size(1) < (std::int64_t{1} << 16) &&
                  signs(first, y.size(1), y).size(0) == y.size(1),
              "unnp::multipoles: ", y.size(1), " harmonics are not those of all degrees from ", first,
              " on, ", max_components, " at most, or there are too many of ", w.size(1), " weights");
  return {n_all, first};
}

Tensor multipoles(const Tensor& w, const Tensor& y, const Tensor& index, std::int64_t n_all,
                  std::int64_t first) {
  const auto sizes = checked(w, y, index, n_all, first);
  return Multipoles::forward(contiguous({w, y}), index.contiguous(), sizes);
}
Tensor multipoles_autograd(const Tensor& w, const Tensor& y, const Tensor& index, std::int64_t n_all,
                           std::int64_t first) {
  const auto sizes = checked(w, y, index, n_all, first);
  return differentiable<Multipoles>(contiguous({w, y}), index.contiguous(), sizes);
}

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("multipoles(Tensor weights, Tensor harmonics, Tensor bond_index, int n_all, int "
              "first) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("multipoles", multipoles);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("multipoles", multipoles_autograd);
}

} // namespace unnp::ops
