// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "estimator.h"
#include "line_file.h"

#include <cstdint>
#include <string>

namespace unnp_lammps {

/// A table of the deviations of a run in the units of LAMMPS; on rank 0.
class DeviationFile {
public:
  /// Throws unnp::Error where the file cannot be written.
  explicit DeviationFile(const std::string& path);

  /// Adds the line of a step, in the place of that of an earlier evaluation of the same step. Throws
  /// unnp::Error where the disk is full.
  void write(std::int64_t step, const Deviations& deviations, double energy_unit);

private:
  LineFile file_;
  std::int64_t written_step_ = -1;
};

} // namespace unnp_lammps
