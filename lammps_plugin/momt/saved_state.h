// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "unnp/json.h"
#include "unnp/momt/bias.h"

#include <cstdint>
#include <optional>
#include <string>

namespace unnp_lammps::momt {

/// What runs have to have in common for one to go on with the bias of the other.
struct Identity {
  std::string mode;
  std::string order; // the words of the order parameter
  double temperature = 0.0;
  std::optional<double> pressure;
  std::int64_t n_atoms = 0;
};

/// Where a run stands.
struct Progress {
  std::int64_t step = 0;
  std::int64_t passages = 0; // of all walkers
  bool frozen = false;       // by fix_modify
};

unnp::Json to_json(std::int64_t value);
unnp::Json to_json(const std::optional<double>& value);

/// The state as JSON. Throws unnp::Error where the bias has learnt what is not finite.
std::string state_text(const Identity& run, const Progress& progress, const unnp::momt::Bias& bias);

/// Gives the bias what a state holds and returns where that stood. Throws unnp::Error where the state is
/// damaged or belongs to another run.
Progress restore_state(const std::string& text, const Identity& run, unnp::momt::Bias& bias);

} // namespace unnp_lammps::momt
