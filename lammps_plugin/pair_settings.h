// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unnp_lammps {

/// The keywords of `pair_style unnp`.
struct PairSettings {
  std::string device = "auto";
  std::string halo = "auto";
  std::string dtype = "model";
  std::string head; ///< empty: the model's first
  std::string deviation_file;
  std::int64_t deviation_every = 0; ///< 0: no deviation

  bool wants_deviation() const { return deviation_every > 0; }
};

/// Throws unnp::Error for unknown keywords or values.
PairSettings parse_pair_settings(const std::vector<std::string>& words);

/// Species of each LAMMPS type (index 0 unused), -1 for NULL, from the symbols of `pair_coeff`. Throws
/// unnp::Error.
std::vector<int> parse_symbols(const std::vector<std::string>& symbols,
                               const std::vector<std::string>& elements, int n_types);

} // namespace unnp_lammps
