#include "checks.h"

namespace unnp::ops {

void check_bonds(const char* op, const torch::Tensor& index, std::int64_t n_atoms) {
  TORCH_CHECK(index.scalar_type() == at::kLong && index.dim() == 2 && index.size(0) == 2, "unnp::", op,
              ": bond_index must be (2, n_bonds) of int64");
  const auto contiguous = index.contiguous();
  const auto* const p = contiguous.const_data_ptr<std::int64_t>();
  const auto n = static_cast<std::uint64_t>(n_atoms);
  std::uint64_t n_outside = 0; // counted without a branch, so that the loop is vectorised
  for (std::int64_t k = 0; k < contiguous.numel(); ++k)
    n_outside += static_cast<std::uint64_t>(p[k]) >= n ? 1 : 0;
  TORCH_CHECK(n_outside == 0, "unnp::", op, ": ", n_outside, " bonds refer to atoms beyond the ", n_atoms,
              " that are given");
}

void check_shape(const char* op, const char* name, const torch::Tensor& x, const torch::Tensor& like,
                 std::initializer_list<std::int64_t> shape) {
  bool fits = x.dim() == static_cast<std::int64_t>(shape.size()) && x.scalar_type() == like.scalar_type() &&
              x.is_floating_point() && x.layout() == at::kStrided;
  std::int64_t dimension = 0;
  for (const auto size : shape) {
    fits = fits && (size < 0 || x.size(dimension) == size) && x.size(dimension) < (std::int64_t{1} << 30);
    ++dimension;
  }
  TORCH_CHECK(fits, "unnp::", op, ": ", name, " has shape ", x.sizes(), " and type ", x.scalar_type(),
              ", which does not fit the other arguments");
}

} // namespace unnp::ops
