// SPDX-License-Identifier: GPL-2.0-only
#include "structure_factor.h"

#include <cmath>

namespace unnp_lammps::momt {

namespace {

/// s = [ (1/K) sum_k |rho_k|^2 / N^2 ]^(1/2), the root of `sk`: the liquid, which has a few hundredths of the
/// range of `sk`, gets a fifth of this one, and what lies around it is as smooth as the rest.
class BraggAmplitude final : public OrderParameter {
public:
  BraggAmplitude(LAMMPS_NS::LAMMPS* lmp, std::unique_ptr<OrderParameter> intensity)
      : OrderParameter(lmp), intensity_(std::move(intensity)) {}

  OrderDefaults defaults() const override {
    return {.range = {0.0, 0.95}, .basins = {0.32, 0.6}, .sigma = 0.03};
  }
  void check() override { intensity_->check(); }
  double compute() override { return amplitude_ = std::sqrt(intensity_->compute()); }

  std::array<double, 6> add_forces(double slope) override {
    // Where all amplitudes vanish no direction is better than another.
    return amplitude_ > 0.0 ? intensity_->add_forces(0.5 * slope / amplitude_) : std::array<double, 6>{};
  }

private:
  std::unique_ptr<OrderParameter> intensity_;
  double amplitude_ = 0.0;
};

/// fk and the words of sk
MakeOrder read(unnp::momt::Words& words) {
  return [make_intensity = read_structure_factor(words)](LAMMPS_NS::LAMMPS* lmp) {
    return std::make_unique<BraggAmplitude>(lmp, make_intensity(lmp));
  };
}

const OrderStyle fk("fk", read);

} // namespace

} // namespace unnp_lammps::momt
