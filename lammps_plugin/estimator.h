// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "unnp/halo.h"
#include "unnp/potential.h"

#include <mpi.h>

#include <vector>

namespace unnp_lammps {

/// How far a prediction is expected to be off, in eV and A, times the factors of the model's calibration
/// where it has one.
struct Deviations {
  std::vector<double> of_forces; ///< of each owned atom, (n_owned)
  double largest = 0.0;          ///< of the forces of all ranks' atoms
  double smallest = 0.0;
  double mean = 0.0;
  double of_energy = 0.0;     ///< of the energy per atom
  double largest_force = 0.0; ///< norm of a predicted force, of all ranks' atoms
  double n_atoms = 1.0;       ///< of all ranks; 1 where there are none

  /// Sets what is of all ranks' atoms, but for the energy, from `of_forces` and the predicted forces of the
  /// owned atoms, (n_owned, 3). Collective.
  void summarise(const std::vector<double>& forces, MPI_Comm world);
};

/// Evaluates a model so that it can say how far it may be off.
class Estimator {
public:
  virtual ~Estimator() = default;

  /// As Potential::evaluate, and what the deviations need. Collective.
  virtual void evaluate(unnp::Potential& potential, const unnp::System& system, bool atom_virial,
                        unnp::Evaluation& mean) = 0;
  /// Those of that evaluation. Collective.
  virtual Deviations deviations(unnp::Halo& halo, MPI_Comm world) = 0;
};

} // namespace unnp_lammps
