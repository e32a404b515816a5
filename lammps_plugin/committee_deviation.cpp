// SPDX-License-Identifier: GPL-2.0-only
#include "committee_deviation.h"

#include <cmath>

namespace unnp_lammps {

namespace {

/// All members' forces on each row side by side, (n_rows, n_members, 3), ghosts' shares added to their
/// owners.
std::vector<double> member_forces(const std::vector<unnp::Evaluation>& members, unnp::Halo& halo) {
  const auto n_members = members.size();
  std::vector<double> forces(static_cast<std::size_t>(halo.n_all()) * n_members * 3);
  for (std::size_t row = 0; row < static_cast<std::size_t>(halo.n_all()); ++row)
    for (std::size_t m = 0; m < n_members; ++m)
      for (std::size_t a = 0; a < 3; ++a)
        forces[3 * (row * n_members + m) + a] = members[m].forces[3 * row + a];
  halo.reverse(forces.data(), {unnp::Scalar::float64, static_cast<std::int64_t>(3 * n_members)});
  return forces;
}

/// Root mean square over members of the distance from their mean, of vectors one behind the other; the mean
/// is added to `means`.
double spread(const double* vectors, std::size_t n_members, std::size_t dimension,
              std::vector<double>& means) {
  double squares = 0.0;
  for (std::size_t a = 0; a < dimension; ++a) {
    double mean = 0.0;
    for (std::size_t m = 0; m < n_members; ++m)
      mean += vectors[dimension * m + a] / static_cast<double>(n_members);
    for (std::size_t m = 0; m < n_members; ++m)
      squares += std::pow(vectors[dimension * m + a] - mean, 2);
    means.push_back(mean);
  }
  return std::sqrt(squares / static_cast<double>(n_members));
}

} // namespace

void CommitteeDeviation::evaluate(unnp::Potential& potential, const unnp::System& system, bool atom_virial,
                                  unnp::Evaluation& mean) {
  potential.evaluate_members(system, atom_virial, mean, members_);
  energy_scale_ = potential.manifest().deviation_scale("energy");
  force_scale_ = potential.manifest().deviation_scale("forces");
}

Deviations CommitteeDeviation::deviations(unnp::Halo& halo, MPI_Comm world) {
  const auto n_members = members_.size();
  const auto forces = member_forces(members_, halo);
  Deviations found;
  std::vector<double> means, energies, mean_energy;
  for (std::size_t row = 0; row < static_cast<std::size_t>(halo.n_owned()); ++row)
    found.of_forces.push_back(spread(&forces[3 * n_members * row], n_members, 3, means) * force_scale_);
  found.summarise(means, world);
  for (const auto& member : members_)
    energies.push_back(member.energy);
  MPI_Allreduce(MPI_IN_PLACE, energies.data(), static_cast<int>(n_members), MPI_DOUBLE, MPI_SUM, world);
  found.of_energy = spread(energies.data(), n_members, 1, mean_energy) * energy_scale_ / found.n_atoms;
  return found;
}

} // namespace unnp_lammps
