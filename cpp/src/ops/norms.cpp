#include "norms.h"

#include "checks.h"
#include "fused.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {vectors, tensors}.
struct Norms : norms_kernels, WithoutTable {
  static constexpr Over over = Over::rows;
  static constexpr bool sums_value = false;
  static constexpr std::array sums{false, false};

  static Sizes shape(const variable_list& z, const Tensor&, const Sizes&) {
    return {z[0].size(0), z[0].size(2) + z[1].size(2)};
  }

  template <typename T>
  static NormsIn<T> reads(const Fields<T, 2>& x, const variable_list& z, const Sizes&) {
    return {x.z[0], x.z[1], x.g, static_cast<int>(z[0].size(2)), static_cast<int>(z[1].size(2))};
  }

  static Call checked(const Tensor& v, const Tensor& t) {
    constexpr std::int64_t most = std::int64_t{1} << 24;
    check_shape("norms", "vectors", v, v, {-1, 3, -1});
    check_shape("norms", "tensors", t, v, {v.size(0), 6, -1});
    TORCH_CHECK(v.size(2) < most && t.size(2) < most, "unnp::norms: there are too many channels");
    return {contiguous({v, t}), no_bonds(), {}};
  }
};

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("norms(Tensor vectors, Tensor tensors) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("norms", Entry<Norms>::plain);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("norms", Entry<Norms>::differentiable);
}

} // namespace unnp::ops
