// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "line_file.h"
#include "row_map.h"
#include "unnp/halo.h"
#include "unnp/potential.h"

#include "pointers.h"

#include <optional>
#include <string>
#include <vector>

namespace unnp_lammps {

/// Writes how far the members of a committee disagree: for each atom the root mean square over members of
/// |F_member - F_mean|, of which a line holds the maximum, minimum and mean over atoms, and the standard
/// deviation of the members' energies per atom; times the factors of the model's calibration, where it has
/// one. Units of LAMMPS.
class Deviation : protected LAMMPS_NS::Pointers {
public:
  /// Throws unnp::Error where the file cannot be written. Collective.
  Deviation(LAMMPS_NS::LAMMPS* lmp, const std::string& file, std::int64_t every, double energy_unit);

  /// At every evaluation of such a step: the last one is of the step itself, after the trials of Monte Carlo
  /// fixes, and replaces the line of the ones before.
  bool is_due() const;
  /// Doubles per atom in the communication of the members' forces.
  static int width(std::int64_t n_members) { return static_cast<int>(3 * n_members); }

  std::vector<unnp::Evaluation>& members() { return members_; }
  /// Throws unnp::Error where the disk is full. Collective.
  void write(unnp::Halo& halo, const unnp::Manifest& manifest);

private:
  std::optional<LineFile> file_; // on rank 0
  std::int64_t every_;
  double energy_unit_;
  std::int64_t written_step_ = -1;
  std::vector<unnp::Evaluation> members_;
};

} // namespace unnp_lammps
