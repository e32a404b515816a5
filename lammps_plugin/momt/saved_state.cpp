// SPDX-License-Identifier: GPL-2.0-only
#include "saved_state.h"

#include "unnp/error.h"
#include "unnp/momt/state_reader.h"

#include "fmt/format.h"

#include <cmath>

namespace unnp_lammps::momt {

namespace {

using unnp::Json;
using unnp::momt::StateReader;

const std::string format = "unnp momt state 1";

void require_same(const std::string& name, double saved, double given) {
  if (std::abs(saved - given) > 1e-9 * std::abs(given))
    throw unnp::Error(fmt::format("the saved state belongs to {} {}, not {}; use the same, or begin anew "
                                  "without it.",
                                  name, saved, given));
}

void require_format(const Json& state) {
  const auto* const members = state.object();
  const auto found = members ? members->find("format") : Json::Object::const_iterator();
  const auto* const text = members && found != members->end() ? found->second.text() : nullptr;
  if (!text || *text != format)
    throw unnp::Error("the saved state is not of the format '" + format + "'.");
}

void require_run(const StateReader& state, const Identity& run) {
  if (state.text("mode") != run.mode)
    throw unnp::Error("the saved state is of mode " + state.text("mode") + ", not " + run.mode + ".");
  if (state.text("order") != run.order)
    throw unnp::Error("the saved state has the order parameter " + state.text("order") + ", not " +
                      run.order + ".");
  require_same("T0", state.number("temperature"), run.temperature);
  require_same("atoms", state.number("atoms"), static_cast<double>(run.n_atoms));
  if (state.member("pressure").is_null() != !run.pressure)
    throw unnp::Error("the saved state was made with press, or without, other than this run.");
  if (run.pressure)
    require_same("press", state.number("pressure"), *run.pressure);
}

} // namespace

Json to_json(std::int64_t value) {
  return Json(static_cast<double>(value));
}

Json to_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

std::string state_text(const Identity& run, const Progress& progress, const unnp::momt::Bias& bias) {
  Json::Object state{{"format", Json(format)},
                     {"mode", Json(run.mode)},
                     {"order", Json(run.order)},
                     {"temperature", Json(run.temperature)},
                     {"pressure", to_json(run.pressure)},
                     {"atoms", to_json(run.n_atoms)},
                     {"step", to_json(progress.step)},
                     {"passages", to_json(progress.passages)},
                     {"frozen", Json(progress.frozen)},
                     {"bias", Json(bias.state())}};
  try {
    return Json(std::move(state)).dump();
  } catch (const unnp::Error&) { // JSON knows finite numbers only
    throw unnp::Error(
        "what the bias has learnt is no longer finite; height, barrier, memory, increment, tilt, temps, "
        "range or enthalpy are too large or too small for these energies.");
  }
}

Progress restore_state(const std::string& text, const Identity& run, unnp::momt::Bias& bias) {
  const auto parsed = Json::parse(text);
  require_format(parsed);
  const StateReader state(*parsed.object());
  require_run(state, run);
  bias.restore(state.object("bias"));
  return {
      .step = state.count("step"), .passages = state.count("passages"), .frozen = state.boolean("frozen")};
}

} // namespace unnp_lammps::momt
