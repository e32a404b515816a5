#include "products.h"

#include "checks.h"
#include "fused.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {vectors, tensors}; sizes = {coupled}.
struct Products : products_kernels, WithoutTable {
  static constexpr Over over = Over::rows;
  static constexpr bool sums_value = false;
  static constexpr std::array sums{false, false};

  static Sizes shape(const variable_list& z, const Tensor&, const Sizes& sizes) {
    return {z[0].size(0), (sizes[0] != 0 ? all_products : invariant_products) * (z[0].size(2) / 2)};
  }

  template <typename T>
  static ProductsIn<T> reads(const Fields<T, 2>& x, const variable_list& z, const Sizes& sizes) {
    return {x.z[0], x.z[1], x.g, static_cast<int>(z[0].size(2) / 2), sizes[0] != 0};
  }

  static Call checked(const Tensor& v, const Tensor& t, bool coupled) {
    check_shape("products", "vectors", v, v, {-1, 3, -1});
    check_shape("products", "tensors", t, v, {v.size(0), 6, v.size(2)});
    TORCH_CHECK(v.size(2) % 2 == 0 && v.size(2) < (std::int64_t{1} << 24),
                "unnp::products: vectors have two halves of channels, not ", v.size(2), " channels");
    return {contiguous({v, t}), no_bonds(), {coupled}};
  }
};

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("products(Tensor vectors, Tensor tensors, bool coupled) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("products", Entry<Products>::plain);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("products", Entry<Products>::differentiable);
}

} // namespace unnp::ops
