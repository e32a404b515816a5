// SPDX-License-Identifier: GPL-2.0-only
#include "report.h"

#include "unnp/build_info.h"
#include "unnp/error.h"
#include "unnp/text.h"

#include <array>
#include <cstdio>

namespace unnp_lammps {

namespace {

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

std::string line(const char* what, const std::string& text) {
  std::string start = std::string("  ") + what;
  start.resize(12, ' ');
  return start + text + "\n";
}

std::string type_map(const std::vector<std::string>& symbols) {
  std::string text;
  for (std::size_t t = 0; t < symbols.size(); ++t)
    text += (t ? ", " : "") + std::to_string(t + 1) + " = " + symbols[t];
  return text;
}

std::string listed(const std::string& what, const std::vector<std::int64_t>& widths,
                   const std::string& unit) {
  if (widths.empty())
    return "";
  std::string text = ", " + what + " of";
  for (const auto width : widths)
    text += " " + std::to_string(width);
  return text + " numbers" + unit;
}

std::string communication(const unnp::Manifest& manifest) {
  return listed("exchanges", manifest.exchange_widths, " per atom") +
         listed("sums over all atoms", manifest.pooling_widths, "");
}

/// Which deviations of a committee can be taken for errors.
std::string calibration(const unnp::Manifest& manifest) {
  std::string text;
  for (const auto* quantity : {"energy", "forces"}) {
    const auto found = manifest.deviation_scales.find(quantity);
    text += (text.empty() ? "" : ", ") + std::string(quantity);
    text += found == manifest.deviation_scales.end() ? " not calibrated"
                                                     : " calibrated (times " + number(found->second) + ")";
  }
  return text;
}

} // namespace

std::string greeting(const unnp::Manifest& manifest, const Greeting& run) {
  const auto info = unnp::build_info();
  std::string text = "pair_style unnp: unnp " + info.version + ", torch " + info.torch_running + "\n";
  text += line("model",
               unnp::printable(manifest.name) + " (" + unnp::printable(run.file) + "), " +
                   unnp::printable(manifest.architecture) + ", " + std::to_string(manifest.n_parameters) +
                   " parameters" +
                   (manifest.n_members > 1 ? ", committee of " + std::to_string(manifest.n_members) : ""));
  if (!run.last_layer.empty())
    text += line("deviation", "of the last layer, " + unnp::printable(run.last_layer));
  else if (manifest.n_members > 1)
    text += line("deviation", calibration(manifest));
  text += line("elements", unnp::join(manifest.elements));
  text += line("types", type_map(run.symbols));
  text += line("cutoff", number(manifest.cutoff) + " A, receptive field " + number(manifest.receptive_field) +
                             " A" + communication(manifest));
  if (manifest.heads.size() > 1)
    text += line("head", run.head + " of " + unnp::join(manifest.heads));
  text += line("halo", run.halo);
  text += line("dtype", run.dtype + ", energies and virials summed in float64");
  text += line("device", run.devices);
  for (const auto& reference : manifest.references)
    text += line("cite", unnp::printable(reference));
  return text;
}

std::string timing_report(MPI_Comm world, double edges, const unnp::Timings& timings) {
  constexpr std::array names = {"edges", "forward", "backward", "exchange", "forces"};
  const std::array seconds = {edges, timings.forward, timings.backward, timings.exchange, timings.forces};
  std::array<double, names.size()> sum{}, longest{};
  int n_ranks = 1, rank = 0;
  MPI_Comm_size(world, &n_ranks);
  MPI_Comm_rank(world, &rank);
  MPI_Reduce(seconds.data(), sum.data(), names.size(), MPI_DOUBLE, MPI_SUM, 0, world);
  MPI_Reduce(seconds.data(), longest.data(), names.size(), MPI_DOUBLE, MPI_MAX, 0, world);
  if (rank != 0)
    return "";
  std::string text = "pair_style unnp: time in s, mean and maximum over ranks\n";
  for (std::size_t k = 0; k < names.size(); ++k)
    text += line(names[k], number(sum[k] / n_ranks) + "  " + number(longest[k]));
  return text;
}

} // namespace unnp_lammps
