#include "combine.h"

#include "checks.h"
#include "fused.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {atom, zb, db, f}.
struct Combine : combine_kernels, WithoutTable {
  static constexpr Over over = Over::bonds;
  static constexpr bool sums_value = false;
  static constexpr std::array sums{true, false, false, false};

  static Sizes shape(const variable_list& z, const Tensor&, const Sizes&) { return z[1].sizes().vec(); }

  template <typename T>
  static CombineIn<T> reads(const Fields<T, 4>& x, const variable_list& z, const Sizes&) {
    return {x.z[0], x.z[1], x.z[2], x.z[3], x.g, static_cast<int>(z[1].size(1))};
  }

  static Call checked(const Tensor& atom, const Tensor& zb, const Tensor& db, const Tensor& f,
                      const Tensor& index) {
    check_shape("combine", "atom", atom, atom, {-1, -1});
    check_bonds("combine", index, atom.size(0));
    const auto n_bonds = index.size(1), channels = atom.size(1) / 2;
    check_shape("combine", "atom", atom, atom, {-1, 2 * channels});
    check_shape("combine", "zb", zb, atom, {n_bonds, channels});
    const bool has_odd = db.dim() > 0 && db.size(0) > 0;
    check_shape("combine", "db", db, atom, {has_odd ? n_bonds : 0, has_odd ? channels : -1});
    check_shape("combine", "f", f, atom, {n_bonds, 1});
    return {contiguous({atom, zb, db, f}), index.contiguous(), {}};
  }
};

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("combine(Tensor atom, Tensor zb, Tensor db, Tensor f, Tensor bond_index) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("combine", Entry<Combine>::plain);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("combine", Entry<Combine>::differentiable);
}

} // namespace unnp::ops
