// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "estimator.h"
#include "unnp/last_layer.h"

namespace unnp_lammps {

/// How far the features of the atoms are from those of the training data, for a single model.
class LastLayerDeviation : public Estimator {
public:
  explicit LastLayerDeviation(unnp::LastLayer layer);

  void evaluate(unnp::Potential& potential, const unnp::System& system, bool atom_virial,
                unnp::Evaluation& mean) override;
  Deviations deviations(unnp::Halo& halo, MPI_Comm world) override;

private:
  /// Deviation of the energy per atom, of the mean of the features of all ranks' atoms [eV].
  double energy_deviation(MPI_Comm world) const;

  unnp::LastLayer layer_;
  std::vector<double> features_; ///< (n_owned, n_features)
  std::vector<double> forces_;   ///< (n_all, 3) [eV/A]
};

} // namespace unnp_lammps
