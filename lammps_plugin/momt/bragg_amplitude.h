// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "structure_factor.h"

#include <cmath>

namespace unnp_lammps::momt {

/// s = [ (1/K) sum_k |rho_k|^2 / N^2 ]^(1/2), the root of `sk`: the liquid, which has a few hundredths of the
/// range of `sk`, gets a fifth of this one, and what lies around it is as smooth as the rest.
class BraggAmplitude final : public OrderParameter {
public:
  /// The words of `sk`.
  BraggAmplitude(LAMMPS_NS::LAMMPS* lmp, const std::vector<std::string>& words)
      : OrderParameter(lmp), intensity_(lmp, words) {}

  std::pair<double, double> range() const override { return {0.0, 0.95}; }
  std::pair<double, double> basins() const override { return {0.32, 0.6}; }
  double sigma() const override { return 0.03; }
  void check() override { intensity_.check(); }
  double compute() override { return amplitude_ = std::sqrt(intensity_.compute()); }

  std::array<double, 6> add_forces(double slope) override {
    // Where all amplitudes vanish no direction is better than another.
    return amplitude_ > 0.0 ? intensity_.add_forces(0.5 * slope / amplitude_) : std::array<double, 6>{};
  }

private:
  StructureFactor intensity_;
  double amplitude_ = 0.0;
};

} // namespace unnp_lammps::momt
