#include "project.h"

#include "checks.h"
#include "fused.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {v, t, a, f, u}.
struct Project : project_kernels, WithoutTable {
  static constexpr Over over = Over::bonds;
  static constexpr bool sums_value = false;
  static constexpr std::array sums{true, true, false, false, false};

  static Sizes shape(const variable_list& z, const Tensor& index, const Sizes&) {
    return {index.size(1), 5 * z[0].size(2)};
  }

  template <typename T>
  static ProjectIn<T> reads(const Fields<T, 5>& x, const variable_list& z, const Sizes&) {
    return {x.z[0], x.z[1], x.z[2], x.z[3], x.z[4], x.g, static_cast<int>(z[0].size(2))};
  }

  static Call checked(const Tensor& v, const Tensor& t, const Tensor& a, const Tensor& f, const Tensor& u,
                      const Tensor& index) {
    check_shape("project", "v", v, v, {-1, 3, -1});
    check_bonds("project", index, v.size(0));
    const auto n_bonds = index.size(1);
    check_shape("project", "t", t, v, {v.size(0), 6, v.size(2)});
    check_shape("project", "a", a, v, {n_bonds, v.size(2)});
    check_shape("project", "f", f, v, {n_bonds, 1});
    check_shape("project", "unit", u, v, {n_bonds, 3});
    return {contiguous({v, t, a, f, u}), index.contiguous(), {}};
  }
};

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("project(Tensor v, Tensor t, Tensor a, Tensor f, Tensor unit, Tensor bond_index) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("project", Entry<Project>::plain);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("project", Entry<Project>::differentiable);
}

} // namespace unnp::ops
