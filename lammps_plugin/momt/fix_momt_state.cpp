// SPDX-License-Identifier: GPL-2.0-only
// What fix momt writes and reads: the state, as text and in restart files, and the log of samples.
#include "fix_momt.h"

#include "agreement.h"

#include "unnp/error.h"
#include "unnp/momt/state_reader.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "update.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace LAMMPS_NS;
using unnp::Json;

namespace {

constexpr const char* state_format = "unnp momt state 1";

Json number(bigint value) {
  return Json(static_cast<double>(value));
}

void require_same(const std::string& name, double saved, double given) {
  if (std::abs(saved - given) > 1e-9 * std::abs(given))
    throw unnp::Error("the saved state belongs to " + name + " " + fmt::format("{}", saved) + ", not " +
                      fmt::format("{}", given) + "; use the same, or begin anew without it.");
}

std::string whole_file(const std::string& name) {
  std::stringstream text;
  std::error_code problem;
  const bool is_file = std::filesystem::is_regular_file(name, problem); // others may never end
  std::ifstream file;
  if (is_file)
    file.open(name);
  text << file.rdbuf();
  if (!is_file || !file || text.str().empty())
    throw unnp::Error("cannot read the state file '" + name +
                      "'; `start` takes one that `state` has written.");
  return text.str();
}

} // namespace

std::string FixMomt::order_words() const {
  std::string words;
  for (const auto& word : settings_.order)
    words += (words.empty() ? "" : " ") + word;
  return words.empty() ? "none" : words;
}

std::string FixMomt::state_text() const {
  auto bias = bias_->state();
  const auto updates = bias.extract("updates"), rct = bias.extract("rct");
  Json::Object state{{"format", Json(std::string(state_format))},
                     {"mode", Json(settings_.bias.mode)},
                     {"order", Json(settings_.order.empty() ? std::string("none") : settings_.order.front())},
                     {"order_parameter", Json(order_words())},
                     {"temperature", Json(settings_.temperature)},
                     {"pressure", settings_.pressure ? Json(*settings_.pressure) : Json()},
                     {"atoms", number(n_atoms_)},
                     {"step", number(update->ntimestep)},
                     {"updates", updates ? updates.mapped() : Json(0.0)},
                     {"rct", rct ? rct.mapped() : Json(0.0)},
                     {"passages", number(all_passages_)},
                     {"frozen", Json(frozen_)},
                     {"bias", Json(std::move(bias))}};
  try {
    return Json(std::move(state)).dump();
  } catch (const unnp::Error&) { // JSON knows finite numbers only
    throw unnp::Error(
        "what the bias has learnt is no longer finite; height, barrier, memory, increment, tilt, temps, "
        "range or enthalpy are too large or too small for these energies.");
  }
}

void FixMomt::restore_text(const std::string& text, bool with_freeze) {
  const auto parsed = Json::parse(text);
  if (!parsed.object())
    throw unnp::Error(std::string("the saved state is not of the format '") + state_format + "'.");
  const unnp::momt::StateReader reader(*parsed.object());
  if (!reader.has("format") || reader.text("format") != state_format)
    throw unnp::Error(std::string("the saved state is not of the format '") + state_format + "'.");
  if (reader.text("mode") != settings_.bias.mode)
    throw unnp::Error("the saved state is of mode " + reader.text("mode") + ", not " + settings_.bias.mode +
                      ".");
  const std::string order = settings_.order.empty() ? "none" : settings_.order.front();
  if (reader.text("order") != order)
    throw unnp::Error("the saved state has the order parameter " + reader.text("order") + ", not " + order +
                      ".");
  if (reader.has("order_parameter") && reader.text("order_parameter") != order_words())
    throw unnp::Error("the saved state has the order parameter " + reader.text("order_parameter") + ", not " +
                      order_words() + ".");
  require_same("T0", reader.number("temperature"), settings_.temperature);
  require_same("atoms", reader.number("atoms"), static_cast<double>(n_atoms_));
  if (reader.member("pressure").is_null() != !settings_.pressure)
    throw unnp::Error("the saved state was made with press, or without, other than this run.");
  if (settings_.pressure)
    require_same("press", reader.number("pressure"), *settings_.pressure);
  auto bias = reader.object("bias");
  bias.insert_or_assign("updates", Json(reader.number("updates")));
  bias.insert_or_assign("rct", Json(reader.number("rct")));
  bias_->restore(bias);
  updates_ = reader.count("updates");
  all_passages_ = reader.count("passages");
  if (with_freeze)
    if (const auto* frozen = reader.member("frozen").boolean())
      frozen_ = *frozen;
}

void FixMomt::read_start_file() {
  std::string text;
  auto problem = unnp_lammps::agree(world, [&] {
    if (comm->me == 0)
      text = whole_file(settings_.start_file);
  });
  if (problem.empty()) {
    auto length = static_cast<int>(text.size());
    MPI_Bcast(&length, 1, MPI_INT, 0, world);
    text.resize(static_cast<std::size_t>(length));
    MPI_Bcast(text.data(), length, MPI_CHAR, 0, world);
    problem = unnp_lammps::agree(world, [&] { restore_text(text, false); });
  }
  if (!problem.empty())
    error->all(FLERR, "fix momt: {}: {}", settings_.start_file, problem);
}

// Written beside and renamed: a killed run leaves the old state or the new one.
void FixMomt::write_state() {
  if (!walkers_->writes())
    return;
  const auto temporary = settings_.state_file + ".new";
  std::ofstream file(temporary, std::ios::trunc);
  try {
    file << state_text() << '\n';
  } catch (const unnp::Error& problem) {
    error->one(FLERR, "fix momt: {}", problem.what());
  }
  file.close();
  if (!file || std::rename(temporary.c_str(), settings_.state_file.c_str()) != 0) {
    std::remove(temporary.c_str());
    error->one(FLERR, "fix momt: cannot write the state file {}", settings_.state_file);
  }
}

// The text has a fixed length in front, then what belongs to this walker alone.
void FixMomt::write_restart(FILE* file) {
  if (comm->me != 0)
    return;
  const auto text = state_text();
  const bigint own[] = {static_cast<bigint>(basin_), passages_};
  const int size = static_cast<int>(sizeof(own) + text.size() + 1);
  fwrite(&size, sizeof(int), 1, file);
  fwrite(own, sizeof(own), 1, file);
  fwrite(text.c_str(), 1, text.size() + 1, file);
}

void FixMomt::restart(char* buffer) {
  bigint own[2];
  std::memcpy(own, buffer, sizeof(own));
  const std::string text(buffer + sizeof(own));
  const auto problem = unnp_lammps::agree(world, [&] { restore_text(text, true); });
  if (!problem.empty())
    error->all(FLERR, "fix momt: the restart file does not fit: {}", problem);
  basin_ = static_cast<Basin>(own[0]);
  passages_ = own[1];
  continued_ = true;
}

void FixMomt::check_state_file() {
  agree([this] {
    if (settings_.state_file.empty() || !walkers_->writes())
      return;
    const auto temporary = settings_.state_file + ".new";
    if (!std::ofstream(temporary, std::ios::app))
      throw unnp::Error("cannot write the state '" + settings_.state_file + "'; does its folder exist?");
    std::remove(temporary.c_str());
  });
}

void FixMomt::open_log() {
  if (settings_.log_file.empty())
    return;
  // only rank 0 holds the file, and all ranks have to meet here in every init
  agree([this] {
    if (comm->me != 0 || log_)
      return;
    log_.emplace("the log", settings_.log_file, continued_);
    if (!log_->empty())
      return;
    const Json::Object about{
        {"mode", Json(settings_.bias.mode)},
        {"order", Json(settings_.order.empty() ? std::string("none") : settings_.order.front())},
        {"temperature", Json(settings_.temperature)},
        {"pressure", settings_.pressure ? Json(*settings_.pressure) : Json()},
        {"atoms", number(n_atoms_)},
        {"boltzmann", Json(force->boltz)},
        {"nktv2p", Json(force->nktv2p)},
        {"units", Json(std::string(update->unit_style))}};
    log_->add(fmt::format(
        "# unnp momt log 1\n# {}\n# step energy volume enthalpy order bias effective_temperature order_force "
        "updates round_trips\n",
        Json(about).dump()));
  });
}

void FixMomt::write_log() {
  if (!log_ || update->ntimestep % settings_.log_stride != 0 || update->ntimestep == last_logged_)
    return;
  last_logged_ = update->ntimestep;
  const auto row =
      fmt::format("{} {:.17g} {:.17g} {:.17g} {:.17g} {:.17g} {:.10g} {:.10g} {} {:.1f}\n", update->ntimestep,
                  potential_, volume_, enthalpy_, s_, value_.energy, effective_temperature(),
                  value_.per_order, updates_, 0.5 * static_cast<double>(passages_));
  try {
    log_->add(row);
  } catch (const unnp::Error& problem) {
    error->one(FLERR, "fix momt: {}", problem.what()); // the other ranks do not write
  }
}
