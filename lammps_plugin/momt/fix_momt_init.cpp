// SPDX-License-Identifier: GPL-2.0-only
// What fix momt asks of the system and of the other fixes before every run.
#include "fix_momt.h"

#include "agreement.h"

#include "unnp/error.h"

#include "atom.h"
#include "compute.h"
#include "error.h"
#include "force.h"
#include "modify.h"
#include "neighbor.h"
#include "update.h"

#include <algorithm>
#include <cmath>

using namespace LAMMPS_NS;

namespace {

bool changes_box(const Fix& fix) {
  return fix.box_change & (Fix::BOX_CHANGE_SIZE | Fix::BOX_CHANGE_SHAPE);
}

} // namespace

void FixMomt::init() {
  energy_ = modify->get_compute_by_id(id + std::string("_pe"));
  pressure_ = modify->get_compute_by_id(id + std::string("_press"));
  if (!energy_ || !pressure_)
    error->all(FLERR, "fix momt: its computes {}_pe and {}_press are gone; do not uncompute them", id, id);
  check_system();
  check_fixes();
  const auto problem = unnp_lammps::agree(world, [this] {
    if (order_)
      order_->check();
    walkers_->require_same(settings_.physics + state_text());
  });
  if (!problem.empty())
    error->all(FLERR, "fix momt: {}", problem);
  if (order_ && order_->needs_list())
    neighbor->add_request(this, NeighConst::REQ_FULL);
  if (!log_)
    open_log();
}

void FixMomt::check_system() {
  if (utils::strmatch(update->integrate_style, "^respa"))
    error->all(
        FLERR,
        "fix momt: run_style respa does not have all forces together, which fix momt scales as one; use "
        "run_style verlet");
  if (atom->natoms == 0)
    error->all(FLERR, "fix momt: there are no atoms");
  if (!force->pair)
    error->all(FLERR, "fix momt: there is no pair style, and so no energy to sample");
}

void FixMomt::check_fixes() {
  bool before = true, box_changes = false;
  for (auto* const other : modify->get_fix_list()) {
    if (other == this) {
      before = false;
      continue;
    }
    box_changes = box_changes || changes_box(*other);
    before ? check_fix_before(*other) : check_fix_after(*other);
  }
  if (box_changes && !settings_.pressure)
    error->all(
        FLERR,
        "fix momt: the volume changes, so that the enthalpy E + P0 V has to be sampled; add  press P0");
  if (!box_changes && settings_.pressure.value_or(0.0) != 0.0)
    error->all(
        FLERR,
        "fix momt: press {} is given, but no fix changes the volume; add a barostat (fix nph, fix npt), "
        "or leave press out to sample at constant volume",
        *settings_.pressure);
}

void FixMomt::check_fix_before(const Fix& other) const {
  if (utils::strmatch(other.style, "^momt"))
    error->all(FLERR, "fix momt: there is another one, {}; a system has one bias", other.id);
  if (changes_box(other))
    error->all(
        FLERR,
        "fix momt: is defined after the barostat fix {} {}, which would not see the virial of the bias "
        "at the start of a run; define fix momt first",
        other.id, other.style);
  const int mask = modify->fmask[modify->find_fix(other.id)];
  if (mask & FixConst::POST_FORCE)
    error->all(
        FLERR,
        "fix momt: is defined after fix {} {}, whose forces it would scale with those of the potential; "
        "define fix momt first",
        other.id, other.style);
}

// A thermostat or barostat with other targets than the bias assumes makes every reweighted number wrong.
void FixMomt::check_fix_after(const Fix& other) const {
  auto& fix = const_cast<Fix&>(other); // extract() does not change it
  int dimension = -1;
  const bool thermostat =
      utils::strmatch(other.style, "^(nvt|npt|langevin|temp/csvr|temp/csld|temp/berendsen)");
  const auto* const target = thermostat ? static_cast<double*>(fix.extract("t_target", dimension)) : nullptr;
  if (target && dimension == 0 && std::abs(*target - settings_.temperature) > 1e-6 * settings_.temperature)
    error->all(FLERR, "fix momt: T0 is {}, but fix {} {} holds the temperature {}; give both the same",
               settings_.temperature, other.id, other.style, *target);
  if (!utils::strmatch(other.style, "^(npt|nph)") || !settings_.pressure)
    return;
  const auto* const flags = static_cast<int*>(fix.extract("p_flag", dimension));
  const auto* const pressures = static_cast<double*>(fix.extract("p_start", dimension));
  for (int k = 0; flags && pressures && k < 3; ++k)
    if (flags[k] &&
        std::abs(pressures[k] - *settings_.pressure) > 1e-6 * std::abs(*settings_.pressure) + 1e-9)
      error->all(FLERR, "fix momt: press is {}, but fix {} {} holds the pressure {}; give both the same",
                 *settings_.pressure, other.id, other.style, pressures[k]);
}
