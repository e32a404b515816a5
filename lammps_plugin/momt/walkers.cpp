// SPDX-License-Identifier: GPL-2.0-only
#include "walkers.h"

#include "unnp/error.h"

#include "comm.h"
#include "universe.h"

#include <algorithm>
#include <array>
#include <functional>

namespace unnp_lammps::momt {

Walkers::Walkers(LAMMPS_NS::LAMMPS* lmp, bool shared) : Pointers(lmp) {
  if (!shared || universe->nworlds == 1)
    return;
  count_ = universe->nworlds;
  MPI_Comm_split(universe->uworld, comm->me == 0 ? 0 : MPI_UNDEFINED, universe->me, &roots_);
}

Walkers::~Walkers() {
  if (roots_ != MPI_COMM_NULL)
    MPI_Comm_free(&roots_);
}

bool Walkers::writes() const {
  return comm->me == 0 && (count_ == 1 || universe->iworld == 0);
}

void Walkers::require_same(const std::string& text) const {
  if (count_ == 1)
    return;
  const std::uint64_t hash = std::hash<std::string>{}(text);
  std::array<std::uint64_t, 2> ends{hash, ~hash}; // the largest hash and the complement of the smallest
  MPI_Allreduce(MPI_IN_PLACE, ends.data(), 2, MPI_UINT64_T, MPI_MAX, universe->uworld);
  if (ends[0] != ~ends[1])
    throw unnp::Error(
        "the walkers share one bias, but have been given different settings, numbers of atoms or of "
        "steps, or come from different states; make them alike, or give  walkers alone.");
}

Walkers::Gathered Walkers::gather(std::int64_t step, const unnp::momt::Sample& mine,
                                  std::int64_t passages) const {
  if (count_ == 1)
    return {{mine}, passages};
  constexpr int width = 5;
  const std::array<double, width> own{static_cast<double>(step), mine.enthalpy, mine.order, mine.bias,
                                      static_cast<double>(passages)};
  std::vector<double> all(static_cast<std::size_t>(width) * count_);
  if (comm->me == 0)
    MPI_Allgather(own.data(), width, MPI_DOUBLE, all.data(), width, MPI_DOUBLE, roots_);
  MPI_Bcast(all.data(), static_cast<int>(all.size()), MPI_DOUBLE, 0, world);
  Gathered gathered;
  for (int walker = 0; walker < count_; ++walker) {
    const double* const row = &all[static_cast<std::size_t>(width) * walker];
    if (row[0] != static_cast<double>(step))
      throw unnp::Error("walkers that share a bias are at different steps (" + std::to_string(step) +
                        " and " + std::to_string(static_cast<std::int64_t>(row[0])) +
                        "); run all of them for the same steps.");
    gathered.samples.push_back({row[1], row[2], row[3]});
    gathered.passages += static_cast<std::int64_t>(row[4]);
  }
  return gathered;
}

} // namespace unnp_lammps::momt
