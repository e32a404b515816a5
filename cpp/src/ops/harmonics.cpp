#include "harmonics.h"

#include "checks.h"
#include "differentiable.h"
#include "launch.h"

#include <torch/library.h>

#include <cmath>

namespace unnp::ops {
namespace {

// sqrt((2 l + 1) (l - m)! / (l + m)!), times sqrt(2) for m > 0, by triangular(l, m).
Tensor factors(std::int64_t last, const Tensor& like) {
  std::vector<double> result;
  for (int l = 0; l <= last; ++l)
    for (int m = 0; m <= l; ++m) {
      const double ratio = std::exp(std::lgamma(l - m + 1) - std::lgamma(l + m + 1));
      result.push_back(std::sqrt((m > 0 ? 2.0 : 1.0) * (2 * l + 1) * ratio));
    }
  return torch::tensor(result, like.options());
}

// z = {unit}, h its tangent or empty; sizes = {first, last}.
template <typename T>
HarmonicsIn<T> harmonics_in(const variable_list& z, const variable_list& h, const Tensor& g,
                            const Tensor& table, const Sizes& sizes) {
  return {reader<T>(z[0], h.empty() ? Tensor() : h[0]), reader<T>(g), reader<T>(table),
          static_cast<int>(sizes[0]), static_cast<int>(sizes[1])};
}

struct Harmonics {
  static Tensor forward(const variable_list& z, const Tensor&, const Sizes& sizes) {
    Tensor value = empty_rows(z, sizes);
    const Tensor table = factors(sizes[1], z[0]);
    AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "unnp::harmonics", [&] {
      const auto in = harmonics_in<scalar_t>(z, {}, Tensor(), table, sizes);
      const HarmonicsOut<scalar_t> out{{write<scalar_t>(value)}, {}};
      over_rows(z[0].size(0), [&](const Range& range) { harmonics_value(in, out, range); });
    });
    return value;
  }

  static variable_list backward(const Tensor& g, const variable_list& z, const Tensor&, const Sizes& sizes) {
    variable_list grads{torch::empty_like(z[0])};
    const Tensor table = factors(sizes[1], z[0]);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::harmonics", [&] {
      const auto in = harmonics_in<scalar_t>(z, {}, g, table, sizes);
      const HarmonicsOut<scalar_t> out{{}, {write<scalar_t>(grads[0])}};
      over_rows(z[0].size(0), [&](const Range& range) { harmonics_gradient(in, out, range); });
    });
    return grads;
  }

  static variable_list double_backward(const Tensor& g, const variable_list& z, const Tensor&,
                                       const Sizes& sizes, const variable_list& h) {
    variable_list grads{empty_rows(z, sizes), torch::empty_like(z[0])};
    const Tensor table = factors(sizes[1], z[0]);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::harmonics", [&] {
      const auto in = harmonics_in<scalar_t>(z, h, g, table, sizes);
      const HarmonicsOut<scalar_t> out{{write<scalar_t>(grads[0])}, {write<scalar_t>(grads[1])}};
      over_rows(z[0].size(0), [&](const Range& range) { harmonics_double(in, out, range); });
    });
    return grads;
  }

private:
  static Tensor empty_rows(const variable_list& z, const Sizes& sizes) {
    const std::int64_t width = (sizes[1] + 1) * (sizes[1] + 1) - sizes[0] * sizes[0];
    return torch::empty({z[0].size(0), width}, z[0].options());
  }
};

Sizes checked(const Tensor& u, std::int64_t first, std::int64_t last) {
  check_shape("harmonics", "unit", u, u, {-1, 3});
  TORCH_CHECK(first >= 0 && first <= last && last <= max_degree, "unnp::harmonics: degrees from ", first,
              " to ", last, "; they go from 0 to ", max_degree);
  return {first, last};
}

Tensor harmonics(const Tensor& u, std::int64_t first, std::int64_t last) {
  const auto sizes = checked(u, first, last);
  return Harmonics::forward({u.contiguous()}, {}, sizes);
}
Tensor harmonics_autograd(const Tensor& u, std::int64_t first, std::int64_t last) {
  const auto sizes = checked(u, first, last);
  return differentiable<Harmonics>({u.contiguous()}, torch::empty({0}), sizes); // without bonds
}

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("harmonics(Tensor unit, int first, int last) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("harmonics", harmonics);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("harmonics", harmonics_autograd);
}

} // namespace unnp::ops
