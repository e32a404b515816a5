// SPDX-License-Identifier: GPL-2.0-only
#include "sample_log.h"

#include "fmt/format.h"

namespace unnp_lammps::momt {

namespace {

std::string header(const Identity& run, const LogFacts& facts) {
  using unnp::Json;
  const Json::Object about{{"mode", Json(run.mode)},
                           {"order", Json(facts.order_name)},
                           {"needs_freezing", Json(facts.needs_freezing)},
                           {"temperature", Json(run.temperature)},
                           {"pressure", to_json(run.pressure)},
                           {"atoms", to_json(run.n_atoms)},
                           {"boltzmann", Json(facts.boltzmann)},
                           {"nktv2p", Json(facts.nktv2p)},
                           {"units", Json(facts.units)}};
  return fmt::format(
      "# unnp momt log 1\n# {}\n# step energy volume enthalpy order bias effective_temperature "
      "order_force updates round_trips\n",
      Json(about).dump());
}

} // namespace

SampleLog::SampleLog(const OutputFile& file, bool continues, const Identity& run, const LogFacts& facts)
    : lines_("the log", file.name, continues), every_(file.every) {
  if (lines_.empty())
    lines_.add(header(run, facts));
}

void SampleLog::add(const LogRow& row) {
  if (row.step % every_ != 0 || row.step == last_)
    return;
  last_ = row.step;
  lines_.add(fmt::format("{} {:.17g} {:.17g} {:.17g} {:.17g} {:.17g} {:.10g} {:.10g} {} {:.1f}\n", row.step,
                         row.energy, row.volume, row.enthalpy, row.order, row.bias, row.effective_temperature,
                         row.order_force, row.updates, row.round_trips));
}

} // namespace unnp_lammps::momt
