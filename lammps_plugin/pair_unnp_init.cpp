// SPDX-License-Identifier: GPL-2.0-only
// What the pair style asks of LAMMPS at the start of a run.
#include "agreement.h"
#include "committee_deviation.h"
#include "device_choice.h"
#include "pair_unnp.h"
#include "report.h"

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "force.h"
#include "modify.h"
#include "neighbor.h"
#include "update.h"

#include <algorithm>

using namespace LAMMPS_NS;

void PairUnnp::init_style() {
  if (!potential_)
    error->all(FLERR, "pair_style unnp: no model is loaded; give  pair_coeff * * model.pt <symbols>");
  check_environment();
  check_neighbour_list();
  system_.forget();
  closeness_.forget();
  warned_of_close_atoms_ = false;
  energy_unit_ = utils::strmatch(update->unit_style, "^real")
                     ? utils::get_conversion_factor(utils::ENERGY, utils::METAL2REAL)
                     : 1.0;
  // Half list, both owners list a bond between them: each side updates the atom it owns.
  ghostneigh = options_.wide ? 1 : 0;
  neighbor->add_request(this, NeighConst::REQ_NEWTON_OFF | (options_.wide ? NeighConst::REQ_GHOST : 0));
  request_communication();
  open_watch();
  note_float32_minimisation();
  greet();
}

void PairUnnp::open_watch() {
  if (!settings_.wants_deviation() || watch_)
    return;
  const auto problem =
      unnp_lammps::agree(world, [this] { watch_.emplace(lmp, settings_, make_estimator(), energy_unit_); });
  if (!problem.empty())
    error->all(FLERR, "pair_style unnp: {}", problem);
  watch_->begin();
}

void PairUnnp::greet() {
  if (greeted_)
    return;
  const auto devices = unnp_lammps::describe_devices(world, device_);
  const unnp_lammps::Greeting run{.file = coeff_words_.front(),
                                  .symbols = {coeff_words_.begin() + 1, coeff_words_.end()},
                                  .head = potential_->manifest().heads[static_cast<std::size_t>(head_)],
                                  .halo = options_.wide ? "wide"
                                                        : std::string(to_string(potential_->manifest().halo)),
                                  .dtype = potential_->dtype(),
                                  .devices = devices,
                                  .last_layer = settings_.last_layer};
  if (comm->me == 0)
    utils::logmesg(lmp, unnp_lammps::greeting(potential_->manifest(), run));
  greeted_ = true;
}

void PairUnnp::check_environment() {
  if (!utils::strmatch(update->unit_style, "^metal$") && !utils::strmatch(update->unit_style, "^real$"))
    error->all(FLERR, "pair_style unnp: works with units metal or real, not with units {}",
               update->unit_style);
  if (utils::strmatch(update->integrate_style, "^respa"))
    error->all(
        FLERR,
        "pair_style unnp: run_style respa cannot split the energy of a neural network into fast and slow "
        "parts; use run_style verlet");
  if (!atom->tag_enable)
    error->all(FLERR, "pair_style unnp: needs atom IDs; use atom_modify id yes");
  if (!modify->get_fix_by_style("^sgcmc").empty() && comm->nprocs > 1)
    error->all(
        FLERR,
        "pair_style unnp: fix sgcmc compares total energies, in which the trial moves of several ranks "
        "mix; run it on one rank, or use fix atom/swap with semi-grand yes");
  const bool drops_pairs =
      std::any_of(force->special_lj + 1, force->special_lj + 4, [](double f) { return f == 0.0; });
  if (atom->molecular != Atom::ATOMIC && (atom->nbonds > 0 || atom->nangles > 0) && drops_pairs)
    error->all(FLERR,
               "pair_style unnp: special_bonds with factors of 0 hides bonded neighbours from the model; use "
               "special_bonds lj/coul 1 1 1");
}

// Again at every build of the list, for groups and types that change in a run.
void PairUnnp::check_neighbour_list() {
  const auto problem = unnp_lammps::agree(
      world, [this] { unnp_lammps::Exclusions(lmp).require_whole_atoms(options_.species_of_type); });
  if (!problem.empty())
    error->all(FLERR, "pair_style unnp: {}", problem);
}

void PairUnnp::note_float32_minimisation() {
  constexpr int minimisation = 2; // Update::whichflag
  if (update->whichflag != minimisation || noted_minimisation_ || potential_->dtype() != "float32")
    return;
  noted_minimisation_ = true;
  if (comm->me == 0)
    utils::logmesg(lmp,
                   "pair_style unnp: note: in float32 energies are rounded, so that a minimisation ends "
                   "with 'linesearch alpha is zero' while forces are about 1e-3 eV/A; to go further use  "
                   "pair_style unnp dtype float64\n");
}

void PairUnnp::request_communication() {
  if (options_.wide) {
    if (comm->mode != Comm::SINGLE)
      error->all(
          FLERR,
          "pair_style unnp: halo wide needs comm_modify mode single; use halo exchange or mode single");
    comm->cutghostuser =
        std::max(comm->cutghostuser, potential_->manifest().receptive_field + neighbor->skin);
  }
  const auto scalar = potential_->dtype() == "float32" ? unnp::Scalar::float32 : unnp::Scalar::float64;
  int width = 9; // per-atom virials
  if (needs_halo_)
    for (const auto numbers : potential_->manifest().exchange_widths)
      width = std::max(width, unnp_lammps::LammpsHalo::doubles({scalar, numbers}));
  if (settings_.wants_deviation())
    width = std::max(width, unnp_lammps::CommitteeDeviation::width(potential_->manifest().n_members));
  // The buffers of LAMMPS are as wide as the style that `force` holds asks for; `hybrid` asked its sub-styles
  // before they had read their models.
  for (Pair* const pair : {static_cast<Pair*>(this), force->pair}) {
    pair->comm_forward = std::max(pair->comm_forward, width);
    pair->comm_reverse = std::max(pair->comm_reverse, width);
    pair->comm_reverse_off = std::max(pair->comm_reverse_off, width);
  }
}
