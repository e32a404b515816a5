#include "aggregate.h"

#include "checks.h"
#include "fused.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {messages, u}; sizes = {n_all, S, V, R}.
struct Aggregate : aggregate_kernels, WithoutTable {
  static constexpr Over over = Over::bonds;
  static constexpr bool sums_value = true;
  static constexpr std::array sums{false, false};

  static Sizes shape(const variable_list&, const Tensor&, const Sizes& sizes) {
    return {sizes[0], sizes[1] + 3 * sizes[2] + 6 * sizes[3]};
  }

  template <typename T>
  static AggregateIn<T> reads(const Fields<T, 2>& x, const variable_list&, const Sizes& sizes) {
    return {x.z[0],
            x.z[1],
            x.g,
            static_cast<int>(sizes[1]),
            static_cast<int>(sizes[2]),
            static_cast<int>(sizes[3])};
  }

  static Call checked(const Tensor& m, const Tensor& u, const Tensor& index, std::int64_t n_all,
                      std::int64_t vectors, std::int64_t tensors) {
    check_bonds("aggregate", index, n_all);
    check_shape("aggregate", "messages", m, m, {index.size(1), -1});
    check_shape("aggregate", "unit", u, m, {index.size(1), 3});
    TORCH_CHECK(
        n_all >= 0 && vectors >= 0 && tensors >= 0 && vectors <= m.size(1) && tensors <= m.size(1) - vectors,
        "unnp::aggregate: ", vectors, " vectors and ", tensors, " tensors of ", m.size(1), " messages");
    return {contiguous({m, u}), index.contiguous(), {n_all, m.size(1) - vectors - tensors, vectors, tensors}};
  }
};

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("aggregate(Tensor messages, Tensor unit, Tensor bond_index, int n_all, int vectors, int "
              "tensors) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("aggregate", Entry<Aggregate>::plain);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("aggregate", Entry<Aggregate>::differentiable);
}

} // namespace unnp::ops
