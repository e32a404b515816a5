// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace unnp_lammps {

/// The keywords `capture`, `apart` and `most`.
struct CaptureSettings {
  std::string file;
  double threshold = 0.0;   ///< of the largest deviation of an atom, in force units of LAMMPS
  std::int64_t every = 1;   ///< steps between looks
  std::int64_t apart = 100; ///< least number of steps between two frames
  std::int64_t most = 100;  ///< frames
};

/// The keyword `stop`.
struct StopSettings {
  double threshold = 0.0; ///< of the largest deviation of an atom, in force units of LAMMPS
  std::int64_t every = 1; ///< steps between looks
};

/// The keywords of `pair_style unnp`.
struct PairSettings {
  std::string device = "auto";
  std::string halo = "auto";
  std::string dtype = "model";
  std::string head;       ///< empty: the model's first
  std::string last_layer; ///< file; empty: the deviations are those of a committee
  std::string deviation_file;
  std::int64_t deviation_every = 0; ///< 0: no file

  std::optional<CaptureSettings> capture;
  std::optional<StopSettings> stop;

  /// Whether a model is needed that says how far it may be off.
  bool wants_deviation() const { return deviation_every > 0 || capture || stop; }
};

/// Throws unnp::Error for unknown keywords or values.
PairSettings parse_pair_settings(const std::vector<std::string>& words);

/// Species of each LAMMPS type (index 0 unused), -1 for NULL, from the symbols of `pair_coeff`. Throws
/// unnp::Error.
std::vector<int> parse_symbols(const std::vector<std::string>& symbols,
                               const std::vector<std::string>& elements, int n_types);

} // namespace unnp_lammps
