// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "unnp/manifest.h"

#include <mpi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace unnp_lammps {

/// Finds the atoms of a run that are closer than such atoms in any structure of the training data.
class Closeness {
public:
  /// Takes the shortest distances of the training data; pairs of elements that it does not name are not
  /// watched.
  void watch(const unnp::Manifest& manifest);

  /// Square of the distance [A^2] below which `note` has to hear of a bond; 0 where nothing is watched.
  double reach_squared() const { return reach_squared_; }

  /// Looks at a bond between two species, the square of its length in A^2.
  void note(std::int64_t first, std::int64_t second, double squared) {
    const double limit = limit_squared_[static_cast<std::size_t>(first * n_species_ + second)];
    if (squared >= worst_ * limit)
      return;
    worst_ = squared / limit;
    first_ = first;
    second_ = second;
  }

  /// How much of its distance in the data the closest pair of this rank lacks: 0 for none, up to 1.
  double lack() const { return 1.0 - worst_; }

  /// Begins anew.
  void forget() { worst_ = 1.0; }

  /// Names the closest pair of all ranks and its distance in the data; text on all ranks. Collective.
  std::string closest(MPI_Comm world) const;

private:
  std::vector<std::string> elements_;
  std::vector<double> limit_squared_; ///< by two species; 0: not watched
  std::int64_t n_species_ = 0;
  double reach_squared_ = 0.0;
  double worst_ = 1.0; ///< square of a distance over the square of its limit, the smallest so far
  std::int64_t first_ = 0, second_ = 0;
};

} // namespace unnp_lammps
