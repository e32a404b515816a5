// SPDX-License-Identifier: GPL-2.0-only
#include "fix_momt.h"

#include "agreement.h"
#include "other_fixes.h"

#include "unnp/error.h"

#include "atom.h"
#include "comm.h"
#include "compute.h"
#include "domain.h"
#include "error.h"
#include "force.h"
#include "modify.h"
#include "neighbor.h"
#include "timer.h"
#include "update.h"

#include <cmath>
#include <cstring>
#include <utility>

using namespace LAMMPS_NS;
namespace momt = unnp_lammps::momt;

void FixMomt::agree(const std::function<void()>& action, const std::string& about) {
  const auto problem = unnp_lammps::agree(world, action);
  if (!problem.empty())
    error->all(FLERR, "fix momt: {}{}", about, problem);
}

FixMomt::FixMomt(LAMMPS* lmp, int narg, char** arg) : Fix(lmp, narg, arg), n_atoms_(atom->natoms) {
  set_flags();
  if (igroup != 0)
    error->all(FLERR, "fix momt: works on the group all, not on '{}', because H is the enthalpy of all atoms",
               arg[1]);
  agree([&] {
    settings_ = momt::parse_settings({arg + 3, arg + narg});
    if (settings_.make_order) {
      order_ = settings_.make_order(lmp);
      passages_ = momt::Passages(settings_.basins.value_or(order_->defaults().basins));
    }
    const auto ensemble = momt::ensemble_of(settings_, order_.get(), force->boltz);
    bias_ = settings_.modes.chosen().make_bias(ensemble);
  });
  if (settings_.pressure)
    reference_pressure_ = *settings_.pressure / force->nktv2p;
  if (settings_.state)
    state_file_.emplace(settings_.state->name);
  walkers_ = std::make_unique<momt::Walkers>(lmp, settings_.shares_walkers);
  if (const auto& file = settings_.start_file)
    agree([&] { restore(momt::read_state_file(world, *file), false); }, *file + ": ");
}

void FixMomt::set_flags() {
  scalar_flag = vector_flag = 1;
  size_vector = 8;
  global_freq = 1;
  extscalar = 1;
  extvector = 0;
  energy_global_flag = 1; // `thermo_energy` stays off: pe is the physical energy, unless fix_modify asks
  virial_global_flag = thermo_virial = 1;
  restart_global = 1;
  dynamic_group_allow = 0;
}

FixMomt::~FixMomt() {
  for (const char* const suffix : {"_pe", "_press"})
    if (modify->get_compute_by_id(id + std::string(suffix)))
      modify->delete_compute(id + std::string(suffix));
}

// H has to be free of fixes, this one among them, and so has the virial: the computes name what they sum.
void FixMomt::post_constructor() {
  energy_ = modify->add_compute(fmt::format("{}_pe all pe pair bond angle dihedral improper kspace", id));
  pressure_ = modify->add_compute(
      fmt::format("{}_press all pressure NULL pair bond angle dihedral improper kspace", id));
}

int FixMomt::setmask() {
  return FixConst::POST_FORCE;
}

void FixMomt::init() {
  find_computes();
  targets_checked_ = false;
  check_system();
  agree([this] { momt::check_other_fixes(*lmp, *this, settings_.pressure); });
  agree([this] {
    if (order_)
      order_->check();
    walkers_->require_same(fmt::format("{} {} {}", settings_.physics, update->laststep, state()));
  });
  if (order_ && order_->needs_list())
    neighbor->add_request(this, NeighConst::REQ_FULL);
  agree([this] {
    if (state_file_ && walkers_->writes())
      state_file_->check();
  });
  open_log();
}

void FixMomt::find_computes() {
  energy_ = modify->get_compute_by_id(id + std::string("_pe"));
  pressure_ = modify->get_compute_by_id(id + std::string("_press"));
  if (!energy_ || !pressure_)
    error->all(FLERR, "fix momt: its computes {}_pe and {}_press are gone; do not uncompute them", id, id);
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

void FixMomt::init_list(int, NeighList* list) {
  order_->take_list(list);
}

// The forces at the start of a run are those of the last step of the run before: nothing is learnt here.
void FixMomt::setup(int vflag) {
  last_learnt_ = platform::walltime();
  measure();
  look_up_bias();
  check_bias();
  apply(vflag);
  write_log();
}

void FixMomt::post_force(int vflag) {
  measure();
  look_up_bias();
  check_targets();
  // Before the forces are made, so that a run from a restart file begins with the very same ones.
  if (update->ntimestep % settings_.pace == 0)
    learn();
  check_bias();
  apply(vflag);
  write_log();
  if (settings_.state && update->ntimestep % settings_.state->every == 0)
    write_state();
}

void FixMomt::measure() {
  if (atom->natoms != n_atoms_)
    error->all(FLERR,
               "fix momt: the number of atoms has changed from {} to {}; the density of states that the bias "
               "approaches is that of a fixed number",
               n_atoms_, atom->natoms);
  potential_ = energy_->compute_scalar();
  energy_->addstep(update->ntimestep + 1);
  volume_ = domain->xprd * domain->yprd * (domain->dimension == 3 ? domain->zprd : 1.0);
  enthalpy_ = potential_ + reference_pressure_ * volume_;
  if (!std::isfinite(enthalpy_))
    error->all(
        FLERR,
        "fix momt: the energy is not a number at step {}; the atoms have come too close: use a shorter "
        "timestep, or a narrower range of temps",
        update->ntimestep);
  if (order_) {
    s_ = order_->compute();
    passages_.see(s_);
  }
}

bool FixMomt::frozen() const {
  return frozen_ || (settings_.freeze && update->ntimestep >= *settings_.freeze);
}

void FixMomt::look_up_bias() {
  bias_->freeze(frozen());
  value_ = bias_->at(enthalpy_, s_);
}

void FixMomt::learn() {
  if (frozen())
    return;
  momt::Walkers::Gathered gathered;
  const bool wants_stop = runs_out_of_time();
  agree([&] {
    gathered =
        walkers_->gather(update->ntimestep, {enthalpy_, s_, value_.energy}, passages_.count(), wants_stop);
  });
  if (gathered.stop) {
    timer->force_timeout();
    if (comm->me == 0)
      utils::logmesg(lmp, "fix momt: the time limit of a walker is near; all end this run at step {}\n",
                     update->ntimestep);
  }
  all_passages_ = gathered.passages;
  for (const auto& sample : gathered.samples)
    bias_->update(sample, all_passages_);
  value_ = bias_->at(enthalpy_, s_);
}

// So that walkers with a time limit end at one step, from which they can go on together.
bool FixMomt::runs_out_of_time() {
  const double now = platform::walltime(), since = now - std::exchange(last_learnt_, now);
  return timer->has_timeout() && timer->get_timeout_remain() < 2.0 * since;
}

void FixMomt::check_bias() {
  if (!std::isfinite(value_.energy) || !std::isfinite(value_.per_enthalpy) ||
      !std::isfinite(value_.per_order))
    error->all(
        FLERR,
        "fix momt: the bias is not a number at step {}; height, barrier, memory, increment, tilt, temps, "
        "range or enthalpy are too large or too small for these energies",
        update->ntimestep);
}

// Thermostats know their target only after their first step.
void FixMomt::check_targets() {
  if (targets_checked_ || update->ntimestep < update->firststep + 2)
    return;
  targets_checked_ = true;
  agree([this] { momt::check_thermostats(*lmp, settings_.temperature); });
}

void FixMomt::apply(int vflag) {
  const double alpha = 1.0 + value_.per_enthalpy;
  double* const f = atom->nlocal > 0 ? atom->f[0] : nullptr;
  for (int i = 0; i < 3 * atom->nlocal; ++i)
    f[i] *= alpha;
  std::array<double, 6> of_order{};
  if (order_ && value_.per_order != 0.0)
    of_order = order_->add_forces(value_.per_order);
  v_init(vflag);
  if (!vflag_global)
    return;
  // (alpha - 1)(W - P0 V) as an energy, each rank its share; LAMMPS adds the kinetic part, which is not
  // scaled.
  pressure_->compute_vector();
  for (int k = 0; k < 6; ++k) {
    const double total = pressure_->vector[k] / force->nktv2p - (k < 3 ? reference_pressure_ : 0.0);
    virial[k] = value_.per_enthalpy * total * volume_ / comm->nprocs + of_order[k];
  }
}

void FixMomt::post_run() {
  constexpr int dynamics = 1; // Update::whichflag
  if (update->whichflag == dynamics && update->ntimestep < update->laststep)
    walkers_->stop_early(update->ntimestep);
  write_state();
}

double FixMomt::compute_scalar() {
  return value_.energy;
}

double FixMomt::compute_vector(int n) {
  // Decks name these by number (workflows/momt/deck_parts.py, and those of users): new ones go to the end.
  const double values[] = {enthalpy_,
                           s_,
                           1.0 + value_.per_enthalpy,
                           effective_temperature(),
                           value_.per_order,
                           bias_->rct(),
                           static_cast<double>(bias_->updates()),
                           passages_.round_trips()};
  return values[n];
}

int FixMomt::modify_param(int narg, char** arg) {
  if (std::strcmp(arg[0], "freeze") != 0)
    return 0;
  if (narg < 2)
    utils::missing_cmd_args(FLERR, "fix_modify freeze", error);
  frozen_ = utils::logical(FLERR, arg[1], false, lmp) != 0;
  return 2;
}
