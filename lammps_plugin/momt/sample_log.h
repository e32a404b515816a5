// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "../line_file.h"
#include "saved_state.h"
#include "settings.h"

#include <string>

namespace unnp_lammps::momt {

/// What the log says of a run besides its identity.
struct LogFacts {
  std::string order_name;
  bool needs_freezing = false; // of the bias, for its samples to count
  double boltzmann = 0.0, nktv2p = 0.0;
  std::string units;
};

/// A row of the log.
struct LogRow {
  std::int64_t step = 0;
  double energy = 0.0, volume = 0.0, enthalpy = 0.0, order = 0.0, bias = 0.0;
  double effective_temperature = 0.0, order_force = 0.0;
  std::int64_t updates = 0;
  double round_trips = 0.0;
};

/// The samples of a walker as text, on its first rank: a header, then a row every so many steps.
class SampleLog {
public:
  /// Begins with the header, or with the file as it is where a run continues. Throws unnp::Error.
  SampleLog(const OutputFile& file, bool continues, const Identity& run, const LogFacts& facts);

  /// Writes the row where its step is one to be written, once. Throws unnp::Error.
  void add(const LogRow& row);

private:
  LineFile lines_;
  std::int64_t every_, last_ = -1;
};

} // namespace unnp_lammps::momt
