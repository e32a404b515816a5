// SPDX-License-Identifier: GPL-2.0-only
#include "pair_unnp.h"

#include "agreement.h"
#include "committee_deviation.h"
#include "device_choice.h"
#include "last_layer_deviation.h"
#include "report.h"
#include "unnp/error.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "exceptions.h"
#include "force.h"
#include "memory.h"
#include "neighbor.h"
#include "update.h"

#include <algorithm>
#include <array>
#include <cmath>

using namespace LAMMPS_NS;
using unnp_lammps::agree;

PairUnnp::PairUnnp(LAMMPS* lmp)
    : Pair(lmp), system_(lmp), halo_(*lmp, this, system_.rows()), registration_(halo_) {
  manybody_flag = 1;
  one_coeff = 1;
  single_enable = 0;
  restartinfo = 1;
  no_virial_fdotr_compute = 1; // the virial comes with the derivatives, also per atom
  centroidstressflag = CENTROID_AVAIL;
}

PairUnnp::~PairUnnp() {
  if (!allocated)
    return;
  memory->destroy(setflag);
  memory->destroy(cutsq);
  memory->destroy(cutghost);
}

void PairUnnp::settings(int n_words, char** words) {
  try {
    apply_settings({words, words + n_words});
  } catch (const unnp::Error& problem) {
    error->all(FLERR, "pair_style unnp: {}", problem.what());
  }
}

void PairUnnp::apply_settings(const std::vector<std::string>& words) {
  settings_ = unnp_lammps::parse_pair_settings(words);
  settings_words_ = words;
  watch_.reset(); // its files and thresholds may be others
}

void PairUnnp::coeff(int n_words, char** words) {
  if (n_words < 4 || std::string(words[0]) != "*" || std::string(words[1]) != "*")
    error->all(
        FLERR,
        "pair_style unnp: write  pair_coeff * * model.pt Ni Al  with a chemical symbol for each atom type");
  coeff_words_.assign(words + 2, words + n_words);
  const auto problem = agree(world, [this] { load_model(); });
  if (!problem.empty())
    error->all(FLERR, "pair_style unnp: {}", problem);
  if (watch_)
    watch_->use(make_estimator());
  allocate();
}

void PairUnnp::load_model() {
  device_ = unnp_lammps::choose_device(world, settings_.device);
  potential_ = unnp::Potential::load(
      coeff_words_.front(), {.device = device_, .dtype = settings_.dtype, .threads = comm->nthreads});
  const auto& manifest = potential_->manifest();
  options_.species_of_type = unnp_lammps::parse_symbols({coeff_words_.begin() + 1, coeff_words_.end()},
                                                        manifest.elements, atom->ntypes);
  options_.cutoff = manifest.cutoff;
  closeness_.watch(manifest);
  head_ = manifest.head(settings_.head);
  if (settings_.halo == "exchange" && manifest.halo == unnp::HaloKind::wide)
    throw unnp::Error("this model runs with halo wide only; use halo auto.");
  options_.wide = manifest.halo == unnp::HaloKind::wide || settings_.halo == "wide";
  if (options_.wide && !manifest.pooling_widths.empty())
    throw unnp::Error("this model sums over all atoms, which it cannot do with halo wide; use halo auto.");
  needs_halo_ = !options_.wide && manifest.communicates();
  check_deviations();
}

void PairUnnp::check_deviations() {
  last_layer_.reset();
  if (!settings_.last_layer.empty())
    last_layer_ = unnp::LastLayer::load(settings_.last_layer, *potential_);
  if (!settings_.wants_deviation())
    return;
  if (!last_layer_ && potential_->manifest().n_members < 2)
    throw unnp::Error(
        "deviation needs a committee, as do capture and stop, but the model has one member. Export several "
        "runs into one file, or give a file of `unnp last-layer` with the keyword last_layer.");
  if (last_layer_ && (settings_.capture || settings_.stop) && !std::isfinite(last_layer_->scale("forces")))
    throw unnp::Error(
        "the last layer '" + settings_.last_layer +
        "' has no factor for forces, which capture and stop need: there were too few forces among the "
        "structures held back when it was made.");
  const auto& species = options_.species_of_type; // the first is of no type
  if (settings_.capture && std::count(species.begin() + 1, species.end(), -1) > 0)
    throw unnp::Error("capture needs to know the element of every atom; name one for each type, not NULL.");
}

std::unique_ptr<unnp_lammps::Estimator> PairUnnp::make_estimator() const {
  if (last_layer_)
    return std::make_unique<unnp_lammps::LastLayerDeviation>(*last_layer_);
  return std::make_unique<unnp_lammps::CommitteeDeviation>();
}

void PairUnnp::allocate() {
  const int n = atom->ntypes + 1;
  if (!allocated) {
    memory->create(setflag, n, n, "pair:setflag");
    memory->create(cutsq, n, n, "pair:cutsq");
    memory->create(cutghost, n, n, "pair:cutghost");
    allocated = 1;
  }
  for (int i = 1; i < n; ++i)
    for (int j = 1; j < n; ++j)
      setflag[i][j] = options_.species_of_type[i] >= 0 && options_.species_of_type[j] >= 0;
}

double PairUnnp::init_one(int i, int j) {
  if (setflag[i][j] == 0)
    error->all(FLERR, "pair_style unnp: pair_coeff does not cover the types {} and {}", i, j);
  cutghost[i][j] = cutghost[j][i] = options_.cutoff;
  return options_.cutoff;
}

void PairUnnp::compute(int eflag, int vflag) {
  ev_init(eflag, vflag);
  try {
    const double start = platform::walltime();
    auto system = system_.update(*list, options_, closeness_);
    system.head = head_;
    system.halo = needs_halo_ ? registration_.handle() : 0;
    edge_seconds_ += platform::walltime() - start;
    evaluate(system);
  } catch (const LAMMPSException&) {
    throw; // an error of LAMMPS, of a writer for instance, that has been printed
  } catch (const std::exception& problem) {
    // Other ranks may be inside of an exchange already: stop them all.
    error->one(FLERR, "pair_style unnp: step {}: {}", update->ntimestep, unnp_lammps::message_of(problem));
  }
  if (!force->newton)
    return_ghost_shares();
  tally();
}

void PairUnnp::evaluate(const unnp::System& system) {
  const bool atom_virial = vflag_atom || cvflag_atom, looks = watch_ && watch_->is_due();
  if (looks)
    watch_->estimator().evaluate(*potential_, system, atom_virial, evaluation_);
  else
    potential_->evaluate(system, atom_virial, evaluation_);
  check_step();
  if (looks)
    watch_->look(halo_, {system, system_.rows(), potential_->manifest().elements});
}

// One message between the ranks serves both checks, so that the second costs nothing.
void PairUnnp::check_step() {
  const auto bad_row = unnp::first_bad_row(evaluation_);
  const tagint bad_atom = bad_row < 0 ? 0 : std::max<tagint>(1, atom->tag[system_.rows().atom_of[bad_row]]);
  std::array<double, 2> worst = {static_cast<double>(bad_atom), closeness_.lack()};
  MPI_Allreduce(MPI_IN_PLACE, worst.data(), 2, MPI_DOUBLE, MPI_MAX, world);
  if (worst[1] > 0.0 && !warned_of_close_atoms_)
    warn_of_close_atoms();
  if (worst[0] != 0.0)
    error->all(
        FLERR,
        "pair_style unnp: energy or force of atom {} is not finite at step {}; atoms may have come too close "
        "(smaller timestep, other start) or have left what the model was trained on",
        static_cast<tagint>(worst[0]), update->ntimestep);
}

void PairUnnp::warn_of_close_atoms() {
  warned_of_close_atoms_ = true;
  const auto closest = closeness_.closest(world);
  if (comm->me == 0)
    error->warning(
        FLERR,
        "pair_style unnp: at step {} atoms are closer than in any training structure: {}. Energies and "
        "forces there are extrapolated and may be wrong; `unnp info` prints the range of validity of the "
        "model. The closest of the whole run follows at its end",
        update->ntimestep, closest);
}

// With newton off LAMMPS does not bring home what a rank finds for its ghosts.
void PairUnnp::return_ghost_shares() {
  halo_.reverse(evaluation_.forces.data(), {unnp::Scalar::float64, 3});
  if (vflag_atom || cvflag_atom)
    halo_.reverse(evaluation_.atom_virial.data(), {unnp::Scalar::float64, 9});
}

void PairUnnp::tally() {
  const auto& rows = system_.rows();
  const auto n_rows = force->newton ? rows.n_rows() : rows.n_owned;
  for (std::int64_t row = 0; row < n_rows; ++row)
    for (int a = 0; a < 3; ++a)
      atom->f[rows.atom_of[row]][a] += energy_unit_ * evaluation_.forces[3 * row + a];
  if (eflag_global)
    eng_vdwl += energy_unit_ * evaluation_.energy;
  if (eflag_atom)
    for (std::int64_t row = 0; row < rows.n_owned; ++row)
      eatom[rows.atom_of[row]] += energy_unit_ * evaluation_.atom_energy[row];
  if (vflag_either)
    tally_virial();
}

void PairUnnp::tally_virial() {
  // LAMMPS: xx yy zz xy xz yz, and for the centroid form yx zx zy as well; ours is row-major.
  constexpr int order[9] = {0, 4, 8, 1, 2, 5, 3, 6, 7};
  const auto symmetric = [&](const double* w, int k) {
    return energy_unit_ * (k < 3 ? w[order[k]] : 0.5 * (w[order[k]] + w[order[k + 3]]));
  };
  if (vflag_global)
    for (int k = 0; k < 6; ++k)
      virial[k] += symmetric(evaluation_.virial.data(), k);
  if (!vflag_atom && !cvflag_atom)
    return;
  const auto& rows = system_.rows();
  const auto n_rows = force->newton ? rows.n_rows() : rows.n_owned;
  for (std::int64_t row = 0; row < n_rows; ++row) {
    const double* const w = &evaluation_.atom_virial[9 * row];
    const int i = rows.atom_of[row];
    if (vflag_atom)
      for (int k = 0; k < 6; ++k)
        vatom[i][k] += symmetric(w, k);
    if (cvflag_atom)
      for (int k = 0; k < 9; ++k)
        cvatom[i][k] += energy_unit_ * w[order[k]];
  }
}

void PairUnnp::finish() {
  std::string text;
  if (update->nsteps > 0) {
    text = unnp_lammps::timing_report(world, edge_seconds_, potential_->timings());
    if (warned_of_close_atoms_)
      text += "pair_style unnp: closest atoms of this run: " + closeness_.closest(world) + "\n";
    potential_->reset_timings();
    edge_seconds_ = 0.0;
  }
  if (watch_)
    text += watch_->finish();
  if (comm->me == 0 && !text.empty())
    utils::logmesg(lmp, text);
}

int PairUnnp::pack_forward_comm(int n, int* atoms, double* buffer, int, int*) {
  return halo_.pack_forward(n, atoms, buffer);
}
void PairUnnp::unpack_forward_comm(int n, int first, double* buffer) {
  halo_.unpack_forward(n, first, buffer);
}
int PairUnnp::pack_reverse_comm(int n, int first, double* buffer) {
  return halo_.pack_reverse(n, first, buffer);
}
void PairUnnp::unpack_reverse_comm(int n, int* atoms, double* buffer) {
  halo_.unpack_reverse(n, atoms, buffer);
}

double PairUnnp::memory_usage() {
  return Pair::memory_usage() + system_.memory_usage();
}
