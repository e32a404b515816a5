// SPDX-License-Identifier: GPL-2.0-only
#include "estimator.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace unnp_lammps {

void Deviations::summarise(const std::vector<double>& forces, MPI_Comm world) {
  double extremes[3] = {0.0, -std::numeric_limits<double>::max(), 0.0}; // max, -min, max of forces squared
  double sums[2] = {0.0, static_cast<double>(of_forces.size())};
  for (const double deviation : of_forces) {
    extremes[0] = std::max(extremes[0], deviation);
    extremes[1] = std::max(extremes[1], -deviation);
    sums[0] += deviation;
  }
  for (std::size_t k = 0; k + 2 < forces.size(); k += 3)
    extremes[2] = std::max(extremes[2], forces[k] * forces[k] + forces[k + 1] * forces[k + 1] +
                                            forces[k + 2] * forces[k + 2]);
  MPI_Allreduce(MPI_IN_PLACE, extremes, 3, MPI_DOUBLE, MPI_MAX, world);
  MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, world);
  largest = extremes[0];
  smallest = -extremes[1];
  largest_force = std::sqrt(extremes[2]);
  mean = sums[0] / std::max(sums[1], 1.0);
  n_atoms = std::max(sums[1], 1.0);
}

} // namespace unnp_lammps
