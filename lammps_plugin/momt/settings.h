// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "unnp/momt/bias.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace unnp_lammps::momt {

/// The words of a `fix momt` command behind `fix ID group momt`.
struct Settings {
  double temperature = 0.0; // T0
  std::optional<double> pressure;
  double lowest_temperature = 0.0, highest_temperature = 0.0;
  int n_temperatures = 0;
  std::vector<std::string> order; // kind and its arguments; empty for none
  std::optional<std::pair<double, double>> range, basins, bridge;
  std::optional<double> sigma;
  unnp::momt::BiasSettings bias; // mode and what belongs to it
  std::int64_t pace = 25;
  std::optional<std::int64_t> freeze;
  std::string start_file, state_file, log_file;
  std::int64_t state_every = 0, log_stride = 0;
  bool shares_walkers = true;
  std::string physics; // the words without the files, in which walkers may differ
};

/// Throws unnp::Error for words that are unknown, missing or impossible.
Settings parse_settings(const std::vector<std::string>& words);

/// Whole number or number; throws unnp::Error that names the keyword.
std::int64_t parse_count(const std::string& keyword, const std::string& word, std::int64_t lowest);
double parse_number(const std::string& keyword, const std::string& word);

} // namespace unnp_lammps::momt
