// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "order_parameter.h"

namespace unnp_lammps::momt {

/// s = (1/K) sum_k |rho_k|^2 / N^2 with rho_k = sum_j exp(i k.r_j), k = 2 pi h^-T n for K triplets n of
/// integers: 1 for a perfect crystal whose reflections they are, about 1/N for a liquid. As the k move with
/// the box, s does not change with the strain at fixed scaled coordinates, and its virial is zero.
class StructureFactor final : public OrderParameter {
public:
  /// sk fcc|bcc NX NY NZ (conventional cells along the edges of the box), or sk list K n1 n2 n3 ...
  StructureFactor(LAMMPS_NS::LAMMPS* lmp, const std::vector<std::string>& words);

  std::pair<double, double> range() const override { return {0.0, 0.9}; }
  std::pair<double, double> basins() const override { return {0.1, 0.35}; }
  double sigma() const override { return 0.015; }
  void check() override;
  double compute() override;
  std::array<double, 6> add_forces(double slope) override;

private:
  using Triplet = std::array<int, 3>;

  /// exp(2 pi i n lambda) of every owned atom for one n along one edge.
  struct Wave {
    int edge, n;
    std::vector<double> real, imaginary;
  };

  /// A triplet as the product of up to three waves; -1 where its number is 0, `conjugate` where it is
  /// negative.
  struct Reflection {
    Triplet n;
    std::array<int, 3> wave;
    std::array<bool, 3> conjugate;
  };

  void set_up_waves(const std::vector<Triplet>& triplets);
  void require_unflipped_box();
  void compute_waves();

  std::vector<Wave> waves_;
  std::vector<Reflection> reflections_;
  std::array<double, 3> tilts_{}; // of the box, in units of its edges, at the step before
  bool knows_tilts_ = false;
  std::vector<double> phases_; // real and imaginary part of each reflection, atom after atom
  std::vector<double> sums_, sums_of_this_rank_; // rho_k, real and imaginary
};

} // namespace unnp_lammps::momt
