// SPDX-License-Identifier: GPL-2.0-only
// What fix momt puts into files: the state, by itself and in restart files, and the log of samples.
#include "fix_momt.h"

#include "unnp/error.h"

#include "comm.h"
#include "error.h"
#include "force.h"
#include "update.h"

#include <cstring>

using namespace LAMMPS_NS;
namespace momt = unnp_lammps::momt;

void FixMomt::alone(const std::function<void()>& action) {
  try {
    action();
  } catch (const unnp::Error& problem) {
    error->one(FLERR, "fix momt: {}", problem.what());
  }
}

momt::Identity FixMomt::identity() const {
  return {.mode = settings_.modes.chosen().name(),
          .order = settings_.order,
          .temperature = settings_.temperature,
          .pressure = settings_.pressure,
          .n_atoms = n_atoms_};
}

std::string FixMomt::state() const {
  return momt::state_text(identity(), {update->ntimestep, all_passages_, frozen_}, *bias_);
}

void FixMomt::restore(const std::string& state, bool with_freeze) {
  const auto progress = momt::restore_state(state, identity(), *bias_);
  all_passages_ = progress.passages;
  if (with_freeze)
    frozen_ = progress.frozen;
}

void FixMomt::write_state() {
  if (state_file_ && walkers_->writes())
    alone([this] { state_file_->write(state()); });
}

// The text has a fixed length in front, then what belongs to this walker alone.
void FixMomt::write_restart(FILE* file) {
  if (comm->me != 0)
    return;
  alone([&] {
    const auto text = state();
    const auto own = passages_.saved();
    const int size = static_cast<int>(sizeof(own) + text.size() + 1);
    fwrite(&size, sizeof(int), 1, file);
    fwrite(&own, sizeof(own), 1, file);
    fwrite(text.c_str(), 1, text.size() + 1, file);
  });
}

void FixMomt::restart(char* buffer) {
  momt::Passages::Saved own;
  std::memcpy(&own, buffer, sizeof(own));
  const std::string text(buffer + sizeof(own));
  agree([&] { restore(text, true); }, "the restart file does not fit: ");
  passages_.restore(own);
  continued_ = true;
}

void FixMomt::open_log() {
  if (!settings_.log)
    return;
  // only rank 0 holds the file, and all ranks have to meet here in every init
  agree([this] {
    if (comm->me != 0 || log_)
      return;
    const momt::LogFacts facts{.order_name = settings_.order_name(),
                               .needs_freezing = bias_->needs_freezing(),
                               .boltzmann = force->boltz,
                               .nktv2p = force->nktv2p,
                               .units = update->unit_style};
    log_.emplace(*settings_.log, continued_, identity(), facts);
  });
}

void FixMomt::write_log() {
  if (!log_)
    return;
  alone([this] {
    log_->add({.step = update->ntimestep,
               .energy = potential_,
               .volume = volume_,
               .enthalpy = enthalpy_,
               .order = s_,
               .bias = value_.energy,
               .effective_temperature = effective_temperature(),
               .order_force = value_.per_order,
               .updates = bias_->updates(),
               .round_trips = passages_.round_trips()});
  });
}
