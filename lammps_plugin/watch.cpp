// SPDX-License-Identifier: GPL-2.0-only
#include "watch.h"

#include "comm.h"
#include "error.h"
#include "fmt/format.h"
#include "timer.h"
#include "universe.h"
#include "update.h"

namespace unnp_lammps {

Watch::Watch(LAMMPS_NS::LAMMPS* lmp, const PairSettings& settings, std::unique_ptr<Estimator> estimator,
             double energy_unit)
    : Pointers(lmp), estimator_(std::move(estimator)), energy_unit_(energy_unit),
      deviation_every_(settings.deviation_every), stop_(settings.stop) {
  if (deviation_every_ > 0 && comm->me == 0)
    file_.emplace(settings.deviation_file);
  if (settings.capture)
    capture_.emplace(lmp, *settings.capture, energy_unit);
}

void Watch::begin() {
  if (capture_)
    capture_->begin();
}

bool Watch::writes_now() const {
  return deviation_every_ > 0 && update->ntimestep % deviation_every_ == 0;
}

bool Watch::may_stop_now() const {
  return stop_ && update->ntimestep % stop_->every == 0;
}

bool Watch::is_due() const {
  return writes_now() || may_stop_now() || (capture_ && capture_->is_due());
}

void Watch::look(unnp::Halo& halo, const Evaluated& evaluated) {
  const auto deviations = estimator_->deviations(halo, world);
  if (file_ && writes_now())
    file_->write(update->ntimestep, deviations, energy_unit_);
  if (capture_ && capture_->is_due())
    capture_->look(deviations, evaluated);
  if (may_stop_now())
    stop_where_reached(deviations.largest * energy_unit_);
}

// As fix halt with `error soft`: the run ends after this step, and the deck goes on.
void Watch::stop_where_reached(double largest) {
  if (largest >= stop_->threshold) {
    timer->force_timeout();
    stopped_at_ = update->ntimestep;
    stopped_by_ = largest;
  } else if (stopped_at_ == update->ntimestep) { // it was a trial that reached it
    timer->reset_timeout();
    stopped_at_.reset();
  }
}

std::string Watch::finish() {
  std::string text = capture_ ? capture_->report() : "";
  if (!stopped_at_)
    return text;
  const auto reason =
      fmt::format("pair_style unnp: stopped at step {}: the deviation of a force, {:.6g}, reaches {:.6g}",
                  *stopped_at_, stopped_by_, stop_->threshold);
  stopped_at_.reset();
  if (universe->nworlds > 1)
    error->all(FLERR, reason);
  return text + reason + "\n";
}

} // namespace unnp_lammps
