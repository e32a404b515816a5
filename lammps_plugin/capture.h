// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "estimator.h"
#include "frame_file.h"
#include "pair_settings.h"
#include "row_map.h"

#include "pointers.h"

#include <optional>
#include <string>
#include <vector>

namespace unnp_lammps {

/// The atoms that were evaluated.
struct Evaluated {
  const unnp::System& system;
  const RowMap& rows;
  const std::vector<std::string>& elements;
};

/// Writes the frames of a run in which the deviation of an atom reaches a threshold.
///
/// A step that is evaluated several times, as by Monte Carlo fixes, is captured as it is evaluated last.
class Capture : protected LAMMPS_NS::Pointers {
public:
  /// Throws unnp::Error on rank 0 where the file cannot be written.
  Capture(LAMMPS_NS::LAMMPS* lmp, const CaptureSettings& settings, double energy_unit);
  /// Lets all ranks know of the frames of an earlier part of the run. Collective.
  void begin();

  bool is_due() const;
  /// Throws unnp::Error where the disk is full. Collective.
  void look(const Deviations& deviations, const Evaluated& evaluated);
  /// What was captured since the last call, in words; text on rank 0.
  std::string report();

private:
  const FramesSoFar& before_this_step() const;
  void gather(Frame& frame, const Evaluated& evaluated, const std::vector<double>& deviations) const;
  void set_box(Frame& frame) const;

  CaptureSettings settings_;
  double energy_unit_;
  std::optional<FrameFile> file_; ///< on rank 0
  FramesSoFar now_, before_;      ///< with, and without, a frame of the present step
  std::int64_t reported_ = 0;
};

} // namespace unnp_lammps
