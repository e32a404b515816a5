// SPDX-License-Identifier: GPL-2.0-only
#include "last_layer_deviation.h"

#include <algorithm>

namespace unnp_lammps {

LastLayerDeviation::LastLayerDeviation(unnp::LastLayer layer) : layer_(std::move(layer)) {}

void LastLayerDeviation::evaluate(unnp::Potential& potential, const unnp::System& system, bool atom_virial,
                                  unnp::Evaluation& mean) {
  potential.evaluate(system, atom_virial, mean);
  features_ = potential.output(system, "features");
  forces_ = mean.forces;
}

double LastLayerDeviation::energy_deviation(MPI_Comm world) const {
  const auto n = static_cast<std::size_t>(layer_.n_features());
  std::vector<double> sums(n + 1, 0.0); // features, number of atoms
  for (std::size_t k = 0; k < features_.size(); ++k)
    sums[k % n] += features_[k];
  sums[n] = static_cast<double>(features_.size() / n);
  MPI_Allreduce(MPI_IN_PLACE, sums.data(), static_cast<int>(sums.size()), MPI_DOUBLE, MPI_SUM, world);
  const double n_atoms = std::max(sums[n], 1.0);
  sums.pop_back();
  for (auto& sum : sums)
    sum /= n_atoms;
  return layer_.scale("energy") * layer_.rigidity(sums).front();
}

Deviations LastLayerDeviation::deviations(unnp::Halo& halo, MPI_Comm world) {
  halo.reverse(forces_.data(), {unnp::Scalar::float64, 3});
  Deviations found;
  found.of_forces = layer_.rigidity(features_);
  for (auto& deviation : found.of_forces)
    deviation *= layer_.scale("forces");
  forces_.resize(3 * found.of_forces.size());
  found.summarise(forces_, world);
  found.of_energy = energy_deviation(world);
  return found;
}

} // namespace unnp_lammps
