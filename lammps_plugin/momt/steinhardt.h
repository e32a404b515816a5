// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "order_parameter.h"

#include <complex>

namespace unnp_lammps::momt {

/// The global bond-orientational order of Steinhardt, Nelson and Ronchetti, Phys. Rev. B 28, 784 (1983), with
/// smooth weights: s = sqrt(4 pi/13 sum_m |Q_6m|^2), Q_6m = sum_ij w(r_ij) Y_6m(r_ij) / sum_ij w(r_ij), where
/// w falls from 1 at RIN to 0 at ROUT as 1 - 10 t^3 + 15 t^4 - 6 t^5. Does not change with rotations; fcc
/// 0.575, bcc 0.511.
class Steinhardt final : public OrderParameter {
public:
  /// q6 RIN ROUT
  Steinhardt(LAMMPS_NS::LAMMPS* lmp, const std::vector<std::string>& words);

  std::pair<double, double> range() const override { return {0.0, 0.6}; }
  std::pair<double, double> basins() const override { return {0.15, 0.35}; }
  double sigma() const override { return 0.015; }
  void check() override;
  bool needs_list() const override { return true; }
  void take_list(LAMMPS_NS::NeighList* list) override { list_ = list; }
  double compute() override;
  std::array<double, 6> add_forces(double slope) override;

private:
  /// Q_60 .. Q_66; those of negative m follow by symmetry.
  using Harmonics = std::array<std::complex<double>, 7>;

  struct Pair {
    int i; // owned atom
    double distance;
    std::array<double, 3> direction; // unit vector to the other atom
  };

  /// Lists the pairs within ROUT of owned atoms, for `compute` and `add_forces`.
  void find_pairs();

  double inner_, outer_;
  LAMMPS_NS::NeighList* list_ = nullptr;
  std::vector<Pair> pairs_;
  Harmonics mean_{};
  double total_weight_ = 0.0, value_ = 0.0;
};

} // namespace unnp_lammps::momt
