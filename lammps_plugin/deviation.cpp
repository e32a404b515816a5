// SPDX-License-Identifier: GPL-2.0-only
#include "deviation.h"

#include "comm.h"
#include "fmt/format.h"
#include "update.h"

#include <cmath>
#include <limits>

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

/// Root mean square over members of the distance from the mean.
double spread(const double* vectors, std::size_t n_members, std::size_t dimension) {
  double squares = 0.0;
  for (std::size_t a = 0; a < dimension; ++a) {
    double mean = 0.0;
    for (std::size_t m = 0; m < n_members; ++m)
      mean += vectors[dimension * m + a] / static_cast<double>(n_members);
    for (std::size_t m = 0; m < n_members; ++m)
      squares += std::pow(vectors[dimension * m + a] - mean, 2);
  }
  return std::sqrt(squares / static_cast<double>(n_members));
}

} // namespace

Deviation::Deviation(LAMMPS_NS::LAMMPS* lmp, const std::string& file, std::int64_t every, double energy_unit)
    : Pointers(lmp), every_(every), energy_unit_(energy_unit) {
  if (comm->me != 0)
    return;
  file_.emplace("the deviation file", file, false);
  file_->add(
      "# step max_force_deviation min_force_deviation mean_force_deviation energy_per_atom_deviation\n");
}

bool Deviation::is_due() const {
  return update->ntimestep % every_ == 0;
}

void Deviation::write(unnp::Halo& halo, const unnp::Manifest& manifest) {
  const double force_unit = energy_unit_ * manifest.deviation_scale("forces");
  const auto n_members = members_.size();
  const auto forces = member_forces(members_, halo);
  double extremes[2] = {0.0, -std::numeric_limits<double>::max()}; // max, -min
  std::vector<double> sums(n_members + 2, 0.0); // energies, sum of deviations, number of atoms
  for (std::size_t row = 0; row < static_cast<std::size_t>(halo.n_owned()); ++row) {
    const double deviation = spread(&forces[3 * n_members * row], n_members, 3) * force_unit;
    extremes[0] = std::max(extremes[0], deviation);
    extremes[1] = std::max(extremes[1], -deviation);
    sums[n_members] += deviation;
    sums[n_members + 1] += 1.0;
  }
  for (std::size_t m = 0; m < n_members; ++m)
    sums[m] = members_[m].energy * energy_unit_ * manifest.deviation_scale("energy");
  MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MAX, world);
  MPI_Allreduce(MPI_IN_PLACE, sums.data(), static_cast<int>(sums.size()), MPI_DOUBLE, MPI_SUM, world);
  if (!file_)
    return;
  const double n_atoms = std::max(sums[n_members + 1], 1.0);
  const auto line =
      fmt::format("{} {:.10g} {:.10g} {:.10g} {:.10g}\n", update->ntimestep, extremes[0], -extremes[1],
                  sums[n_members] / n_atoms, spread(sums.data(), n_members, 1) / n_atoms);
  if (written_step_ == update->ntimestep)
    file_->replace_last(line);
  else
    file_->add(line);
  written_step_ = update->ntimestep;
}

} // namespace unnp_lammps
