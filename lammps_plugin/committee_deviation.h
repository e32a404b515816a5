// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "estimator.h"

namespace unnp_lammps {

/// How far the members of a committee disagree: for each atom the root mean square over members of
/// |F_member - F_mean|, and the standard deviation of the members' energies per atom.
class CommitteeDeviation : public Estimator {
public:
  /// Doubles per atom in the communication of the members' forces.
  static int width(std::int64_t n_members) { return static_cast<int>(3 * n_members); }

  void evaluate(unnp::Potential& potential, const unnp::System& system, bool atom_virial,
                unnp::Evaluation& mean) override;
  Deviations deviations(unnp::Halo& halo, MPI_Comm world) override;

private:
  std::vector<unnp::Evaluation> members_;
  double energy_scale_ = 1.0, force_scale_ = 1.0;
};

} // namespace unnp_lammps
