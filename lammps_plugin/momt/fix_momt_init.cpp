// SPDX-License-Identifier: GPL-2.0-only
// What fix momt asks of the system and of the other fixes before every run.
#include "fix_momt.h"

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

bool differ(double a, double b) {
  return std::abs(a - b) > 1e-6 * std::abs(b) + 1e-9;
}

bool begins_with_one_of(std::string_view style, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](auto name) { return style.starts_with(name); });
}

bool changes_box(const Fix& fix) {
  return fix.box_change & (Fix::BOX_CHANGE_SIZE | Fix::BOX_CHANGE_SHAPE);
}

} // namespace

void FixMomt::init() {
  energy_ = modify->get_compute_by_id(id + std::string("_pe"));
  pressure_ = modify->get_compute_by_id(id + std::string("_press"));
  if (!energy_ || !pressure_)
    error->all(FLERR, "fix momt: its computes {}_pe and {}_press are gone; do not uncompute them", id, id);
  targets_checked_ = false;
  check_system();
  check_fixes();
  agree([this] {
    if (order_)
      order_->check();
    walkers_->require_same(fmt::format("{} {} {}", settings_.physics, update->laststep, state_text()));
  });
  if (order_ && order_->needs_list())
    neighbor->add_request(this, NeighConst::REQ_FULL);
  check_state_file();
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
    if (begins_with_one_of(other->style, {"atom/swap", "charge/regulation", "gcmc", "hmc", "mol/swap",
                                          "neighbor/swap", "sgcmc", "widom"}))
      error->all(
          FLERR,
          "fix momt: fix {} {} tries moves by energies without the bias, and the bias would learn from "
          "them; leave one of the two out",
          other->id, other->style);
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

// A barostat with another target than the bias assumes makes every reweighted number wrong; so does a
// thermostat.
void FixMomt::check_fix_after(Fix& other) const {
  if (begins_with_one_of(other.style, {"deform", "press/berendsen", "box/relax"}))
    error->all(
        FLERR,
        "fix momt: fix {} {} changes the box otherwise than an ensemble at constant pressure does; use fix "
        "nph, fix npt or fix press/langevin",
        other.id, other.style);
  if (!settings_.pressure || !begins_with_one_of(other.style, {"npt", "nph"}))
    return;
  constexpr int directions[] = {Fix::BOX_CHANGE_X, Fix::BOX_CHANGE_Y, Fix::BOX_CHANGE_Z};
  for (const char* const name : {"p_start", "p_stop"}) {
    int dimension = -1;
    const auto* const pressures = static_cast<double*>(other.extract(name, dimension));
    for (int k = 0; pressures && dimension == 1 && k < 3; ++k)
      if ((other.box_change & directions[k]) && differ(pressures[k], *settings_.pressure))
        error->all(FLERR, "fix momt: press is {}, but fix {} {} holds the pressure {}; give both the same",
                   *settings_.pressure, other.id, other.style, pressures[k]);
  }
}

// Thermostats know their target only after their first step.
void FixMomt::check_thermostats() {
  if (targets_checked_ || update->ntimestep < update->firststep + 2)
    return;
  targets_checked_ = true;
  for (auto* const other : modify->get_fix_list()) {
    if (!begins_with_one_of(other->style,
                            {"nvt", "npt", "langevin", "temp/csvr", "temp/csld", "temp/berendsen"}))
      continue;
    int dimension = -1;
    const auto* const target = static_cast<double*>(other->extract("t_target", dimension));
    if (target && dimension == 0 && differ(*target, settings_.temperature))
      error->all(FLERR, "fix momt: T0 is {}, but fix {} {} holds the temperature {}; give both the same",
                 settings_.temperature, other->id, other->style, *target);
  }
}
