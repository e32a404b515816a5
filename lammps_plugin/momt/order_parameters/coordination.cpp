// SPDX-License-Identifier: GPL-2.0-only
#include "../order_parameter.h"

#include "unnp/error.h"

#include "atom.h"
#include "neigh_list.h"

#include <cmath>

namespace unnp_lammps::momt {

namespace {

/// The mean number of neighbours, s = (1/N) sum_ij w(r_ij) over both directions of each pair, where w falls
/// from 1 at RIN to 0 at ROUT as 1 - 10 t^3 + 15 t^4 - 6 t^5.
class Coordination final : public OrderParameter {
public:
  Coordination(LAMMPS_NS::LAMMPS* lmp, double inner, double outer)
      : OrderParameter(lmp), inner_(inner), outer_(outer) {}

  OrderDefaults defaults() const override {
    return {.range = {0.0, 14.0}, .basins = {10.0, 11.5}, .sigma = 0.25};
  }
  bool needs_list() const override { return true; }
  void take_list(LAMMPS_NS::NeighList* list) override { list_ = list; }

  double compute() override {
    double mine = 0.0, all = 0.0;
    for_pairs([&](int, const std::array<double, 3>&, double, double weight, double) { mine += weight; });
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, world);
    return all / static_cast<double>(atom->natoms);
  }

  // Both directions of a pair are in the sum: an atom gets twice what its own list gives.
  std::array<double, 6> add_forces(double slope) override {
    std::array<double, 6> virial{};
    const double scale = slope / static_cast<double>(atom->natoms);
    for_pairs([&](int i, const std::array<double, 3>& r, double distance, double, double fall) {
      for (int d = 0; d < 3; ++d)
        atom->f[i][d] += 2.0 * scale * fall * r[d] / distance;
      constexpr int components[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}};
      for (int c = 0; c < 6; ++c)
        virial[c] -= scale * fall * r[components[c][0]] * r[components[c][1]] / distance;
    });
    return virial;
  }

private:
  /// Calls `action` with an owned atom, the vector to another, its length, the weight and its derivative.
  template <class Action>
  void for_pairs(Action action) const {
    const double* const* const x = atom->x;
    for (int index = 0; index < list_->inum; ++index) {
      const int i = list_->ilist[index];
      for (int k = 0; k < list_->numneigh[i]; ++k) {
        const int j = list_->firstneigh[i][k] & NEIGHMASK;
        const std::array<double, 3> r{x[j][0] - x[i][0], x[j][1] - x[i][1], x[j][2] - x[i][2]};
        const double distance = std::hypot(r[0], r[1], r[2]);
        if (distance >= outer_)
          continue;
        const double t = std::max(0.0, (distance - inner_) / (outer_ - inner_)), rest = 1.0 - t;
        action(i, r, distance, 1.0 - t * t * t * (10.0 - t * (15.0 - 6.0 * t)),
               -30.0 * t * t * rest * rest / (outer_ - inner_));
      }
    }
  }

  double inner_, outer_;
  LAMMPS_NS::NeighList* list_ = nullptr;
};

/// cn RIN ROUT
MakeOrder read(unnp::momt::Words& words) {
  const auto [inner, outer] = words.pair();
  if (inner <= 0.0 || inner >= outer)
    throw unnp::Error("order cn takes RIN ROUT with 0 < RIN < ROUT.");
  return [inner, outer](LAMMPS_NS::LAMMPS* lmp) { return std::make_unique<Coordination>(lmp, inner, outer); };
}

const OrderStyle cn("cn", read);

} // namespace

} // namespace unnp_lammps::momt
