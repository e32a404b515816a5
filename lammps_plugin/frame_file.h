// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "line_file.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unnp_lammps {

/// How many frames there are, and the step of the last.
struct FramesSoFar {
  std::int64_t frames = 0;
  std::int64_t step = 0;
};

/// A frame of captured atoms, in eV and A.
struct Frame {
  /// Of one atom; sorted by id, a frame is the same on any number of ranks.
  struct Atom {
    double id, species, x, y, z, deviation;
  };
  std::int64_t step = 0;
  double cell[9] = {}; ///< lattice vectors in rows
  bool periodic[3] = {};
  double largest_deviation = 0.0, largest_force = 0.0;
  std::int64_t lost_atoms = 0;
  std::vector<Atom> atoms;

  /// As extended XYZ. `elements` are named by the species.
  std::string text(std::span<const std::string> elements) const;
};

/// The extended XYZ file that captured frames are written to, each as a whole or not at all; on rank 0.
class FrameFile {
public:
  /// Keeps the frames of steps before `step`, of an earlier part of the same run, and drops those after it
  /// and a last one that was cut short. Throws unnp::Error where the file holds something else or cannot be
  /// written.
  FrameFile(const std::string& path, std::int64_t step);

  /// The frames that were kept.
  FramesSoFar kept() const { return kept_; }
  /// Both throw unnp::Error where the disk is full.
  void add(std::string_view frame) { file_.add(frame); }
  void withdraw_last() { file_.replace_last(""); }

private:
  FramesSoFar kept_;
  LineFile file_;
};

} // namespace unnp_lammps
