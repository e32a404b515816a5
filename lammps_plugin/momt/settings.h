// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "order_parameter.h"

#include "unnp/momt/modes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace unnp_lammps::momt {

/// A file that is written every so many steps.
struct OutputFile {
  std::string name;
  std::int64_t every = 1;
};

/// The words of a `fix momt` command behind `fix ID group momt`. What is not given is up to the order
/// parameter.
struct Settings {
  double temperature = 0.0; // T0
  std::optional<double> pressure;
  std::pair<double, double> temperatures; // lowest and highest
  int n_temperatures = 0;
  std::string order = "none"; // its words
  MakeOrder make_order;
  std::optional<std::pair<double, double>> range, basins;
  std::optional<double> sigma;
  unnp::momt::Modes modes;
  std::int64_t pace = 25;
  std::optional<std::int64_t> freeze;
  std::optional<std::string> start_file;
  std::optional<OutputFile> state, log;
  bool shares_walkers = true;
  std::string physics; // the words without the files, in which walkers may differ

  /// The first word of the order parameter.
  std::string order_name() const { return order.substr(0, order.find(' ')); }
};

/// Throws unnp::Error for words that are unknown, missing or impossible.
Settings parse_settings(const std::vector<std::string>& words);

/// What the bias is to cover, for an order parameter of these settings (null for none) and Boltzmann's
/// constant.
unnp::momt::Ensemble ensemble_of(const Settings& settings, const OrderParameter* order, double boltzmann);

} // namespace unnp_lammps::momt
