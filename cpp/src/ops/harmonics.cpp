#include "harmonics.h"

#include "checks.h"
#include "fused.h"

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

// z = {unit}; sizes = {first, last}.
struct Harmonics : harmonics_kernels {
  static constexpr Over over = Over::rows;
  static constexpr bool sums_value = false;
  static constexpr std::array sums{false};

  static Sizes shape(const variable_list& z, const Tensor&, const Sizes& sizes) {
    return {z[0].size(0), (sizes[1] + 1) * (sizes[1] + 1) - sizes[0] * sizes[0]};
  }

  static Tensor table(const variable_list& z, const Sizes& sizes) { return factors(sizes[1], z[0]); }

  template <typename T>
  static HarmonicsIn<T> reads(const Fields<T, 1>& x, const variable_list&, const Sizes& sizes) {
    return {x.z[0], x.g, x.table, static_cast<int>(sizes[0]), static_cast<int>(sizes[1])};
  }

  static Call checked(const Tensor& u, std::int64_t first, std::int64_t last) {
    check_shape("harmonics", "unit", u, u, {-1, 3});
    TORCH_CHECK(first >= 0 && first <= last && last <= max_degree, "unnp::harmonics: degrees from ", first,
                " to ", last, "; they go from 0 to ", max_degree);
    return {{u.contiguous()}, no_bonds(), {first, last}};
  }
};

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("harmonics(Tensor unit, int first, int last) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("harmonics", Entry<Harmonics>::plain);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("harmonics", Entry<Harmonics>::differentiable);
}

} // namespace unnp::ops
