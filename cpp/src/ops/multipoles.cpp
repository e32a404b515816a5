#include "multipoles.h"

#include "checks.h"
#include "fused.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// Of the components of all degrees from `first` on; empty where there are none, or a degree is not complete.
Tensor signs(std::int64_t first, std::int64_t components, const Tensor& like) {
  std::vector<double> sign;
  for (std::int64_t l = first; static_cast<std::int64_t>(sign.size()) < components; ++l)
    sign.insert(sign.end(), static_cast<std::size_t>(2 * l + 1), l % 2 == 0 ? 1.0 : -1.0);
  if (static_cast<std::int64_t>(sign.size()) != components)
    sign.clear();
  return torch::tensor(sign, like.options());
}

// z = {weights, harmonics}; sizes = {n_all, first}; the table is the sign of MultipolesIn.
struct Multipoles : multipoles_kernels {
  static constexpr Over over = Over::bonds;
  static constexpr bool sums_value = true;
  static constexpr std::array sums{false, false};

  static Sizes shape(const variable_list& z, const Tensor&, const Sizes& sizes) {
    return {sizes[0], z[0].size(1) * z[1].size(1)};
  }

  static Tensor table(const variable_list& z, const Sizes& sizes) {
    return signs(sizes[1], z[1].size(1), z[1]);
  }

  template <typename T>
  static MultipolesIn<T> reads(const Fields<T, 2>& x, const variable_list& z, const Sizes&) {
    return {x.z[0], x.z[1], x.g, static_cast<int>(z[0].size(1)), static_cast<int>(z[1].size(1)), x.table};
  }

  static Call checked(const Tensor& w, const Tensor& y, const Tensor& index, std::int64_t n_all,
                      std::int64_t first) {
    check_bonds("multipoles", index, n_all);
    check_shape("multipoles", "weights", w, w, {index.size(1), -1});
    check_shape("multipoles", "harmonics", y, w, {index.size(1), -1});
    const bool few = first >= 0 && first <= max_components && y.size(1) > 0 && y.size(1) <= max_components;
    TORCH_CHECK(n_all >= 0 && few && w.size(1) < (std::int64_t{1} << 16) &&
                    signs(first, y.size(1), y).size(0) == y.size(1),
                "unnp::multipoles: ", y.size(1), " harmonics are not those of all degrees from ", first,
                " on, ", max_components, " at most, or there are too many of ", w.size(1), " weights");
    return {contiguous({w, y}), index.contiguous(), {n_all, first}};
  }
};

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def(
      "multipoles(Tensor weights, Tensor harmonics, Tensor bond_index, int n_all, int first) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("multipoles", Entry<Multipoles>::plain);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("multipoles", Entry<Multipoles>::differentiable);
}

} // namespace unnp::ops
