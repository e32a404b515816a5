// SPDX-License-Identifier: GPL-2.0-only
#include "capture.h"

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "fmt/format.h"
#include "update.h"

#include <algorithm>
#include <numeric>

namespace unnp_lammps {

namespace {

constexpr int numbers_per_atom = sizeof(Frame::Atom) / sizeof(double);
static_assert(sizeof(Frame::Atom) == numbers_per_atom * sizeof(double));

} // namespace

Capture::Capture(LAMMPS_NS::LAMMPS* lmp, const CaptureSettings& settings, double energy_unit)
    : Pointers(lmp), settings_(settings), energy_unit_(energy_unit) {
  if (comm->me != 0)
    return;
  file_.emplace(settings.file, update->ntimestep);
  now_ = file_->kept();
}

void Capture::begin() {
  std::int64_t numbers[] = {now_.frames, now_.step};
  MPI_Bcast(numbers, 2, MPI_INT64_T, 0, world);
  before_ = now_ = {numbers[0], numbers[1]};
  reported_ = now_.frames;
}

const FramesSoFar& Capture::before_this_step() const {
  return now_.step == update->ntimestep ? before_ : now_;
}

bool Capture::is_due() const {
  const auto step = update->ntimestep;
  const auto& so_far = before_this_step();
  if (step % settings_.every != 0 || so_far.frames >= settings_.most)
    return false;
  // a deck may set the step back
  return so_far.frames == 0 || step < so_far.step || step - so_far.step >= settings_.apart;
}

void Capture::look(const Deviations& deviations, const Evaluated& evaluated) {
  before_ = before_this_step();
  if (file_ && now_.frames > before_.frames)
    file_->withdraw_last();
  now_ = before_;
  if (!(deviations.largest * energy_unit_ >= settings_.threshold))
    return;
  Frame frame;
  frame.step = update->ntimestep;
  frame.largest_deviation = deviations.largest;
  frame.largest_force = deviations.largest_force;
  set_box(frame);
  gather(frame, evaluated, deviations.of_forces);
  if (file_)
    file_->add(frame.text(evaluated.elements));
  now_ = {before_.frames + 1, update->ntimestep};
}

void Capture::set_box(Frame& frame) const {
  const auto* const h = domain->h; // xx yy zz yz xz xy
  const double cell[9] = {h[0], 0.0, 0.0, h[5], h[1], 0.0, h[4], h[3], h[2]};
  std::ranges::copy(cell, frame.cell);
  for (int axis = 0; axis < 3; ++axis)
    frame.periodic[axis] = domain->periodicity[axis] != 0;
}

// Atoms that are excluded from all others count as deleted and are not in the frame.
void Capture::gather(Frame& frame, const Evaluated& evaluated, const std::vector<double>& deviations) const {
  std::vector<Frame::Atom> mine(deviations.size());
  for (std::size_t row = 0; row < mine.size(); ++row) {
    const int i = evaluated.rows.atom_of[row];
    const auto* const x = atom->x[i];
    mine[row] = {static_cast<double>(atom->tag[i]), static_cast<double>(evaluated.system.species[row]),
                 x[0] - domain->boxlo[0],           x[1] - domain->boxlo[1],
                 x[2] - domain->boxlo[2],           deviations[row]};
  }
  const int here = static_cast<int>(mine.size()) * numbers_per_atom;
  std::vector<int> counts(static_cast<std::size_t>(comm->nprocs)), starts(counts.size());
  MPI_Gather(&here, 1, MPI_INT, counts.data(), 1, MPI_INT, 0, world);
  std::exclusive_scan(counts.begin(), counts.end(), starts.begin(), 0);
  if (file_)
    frame.atoms.resize(static_cast<std::size_t>(starts.back() + counts.back()) / numbers_per_atom);
  MPI_Gatherv(mine.data(), here, MPI_DOUBLE, frame.atoms.data(), counts.data(), starts.data(), MPI_DOUBLE, 0,
              world);
  std::ranges::sort(frame.atoms, {}, &Frame::Atom::id);
  auto n_atoms = static_cast<std::int64_t>(atom->nlocal);
  MPI_Allreduce(MPI_IN_PLACE, &n_atoms, 1, MPI_INT64_T, MPI_SUM, world);
  frame.lost_atoms = atom->natoms - n_atoms;
}

std::string Capture::report() {
  const auto more = now_.frames - reported_;
  reported_ = now_.frames;
  if (more == 0)
    return "";
  return fmt::format("pair_style unnp: {} frames captured in {}, which holds {} now{}\n", more,
                     settings_.file, now_.frames,
                     now_.frames < settings_.most ? "" : ", the most that were asked for");
}

} // namespace unnp_lammps
