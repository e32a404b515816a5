// SPDX-License-Identifier: GPL-2.0-only
#include "lammps_system.h"

#include "unnp/error.h"

#include "atom.h"
#include "neigh_list.h"
#include "neighbor.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace unnp_lammps {

LammpsSystem::LammpsSystem(LAMMPS_NS::LAMMPS* lmp) : Pointers(lmp) {}

unnp::System LammpsSystem::update(const LAMMPS_NS::NeighList& list, const SystemOptions& options,
                                  Closeness& closeness) {
  const bool known = is_known_build();
  if (known)
    update_species(options);
  if (!known || neighbor->ago == 0) {
    rebuild(list, options);
    update_species(options);
  }
  update_bonds(options.cutoff, closeness);
  const auto n_bonds = static_cast<std::size_t>(n_bonds_);
  return {.n_owned = rows_.n_owned,
          .n_updated = options.wide ? rows_.n_rows() : rows_.n_owned,
          .species = species_,
          .bond_index = {bond_index_.data(), 2 * n_bonds},
          .bond_vector = {bond_vector_.data(), 3 * n_bonds}};
}

// As far as LAMMPS' counters tell: some commands rebuild the list more than once in a step or between steps,
// and some begin to count anew, for which `ago` is looked at too.
bool LammpsSystem::is_known_build() const {
  return neighbor->ncalls == built_calls_ && neighbor->lastcall == built_step_ &&
         atom->nlocal == built_local_ && atom->nghost == built_ghost_;
}

void LammpsSystem::rebuild(const LAMMPS_NS::NeighList& list, const SystemOptions& options) {
  exclusions_.emplace(lmp);
  exclusions_->require_whole_atoms_here(options.species_of_type);
  find_owners(options);
  collect_candidates(list, options);
  std::vector<char> has_bond(owner_.size(), 0);
  for (const int j : second_)
    has_bond[static_cast<std::size_t>(owner_[static_cast<std::size_t>(j)])] = 1;
  for (const int i : first_)
    has_bond[static_cast<std::size_t>(i)] = 1;
  number_rows(has_bond, options);
  species_.resize(rows_.atom_of.size());
  bond_index_.resize(2 * first_.size());
  bond_vector_.resize(3 * first_.size());
  built_calls_ = neighbor->ncalls;
  built_step_ = neighbor->lastcall;
  built_local_ = atom->nlocal;
  built_ghost_ = atom->nghost;
}

// Whether the network sees an atom: it is of a type of the model and not excluded from all others.
bool LammpsSystem::is_ours(int atom_index, const SystemOptions& options) const {
  return options.species_of_type[static_cast<std::size_t>(atom->type[atom_index])] >= 0 &&
         !exclusions_->takes_away(atom_index);
}

void LammpsSystem::find_owners(const SystemOptions& options) {
  owner_.resize(static_cast<std::size_t>(atom->nlocal + atom->nghost));
  std::iota(owner_.begin(), owner_.end(), 0);
  if (options.wide)
    return;
  std::unordered_map<LAMMPS_NS::tagint, int> owned;
  owned.reserve(static_cast<std::size_t>(atom->nlocal));
  for (int i = 0; i < atom->nlocal; ++i)
    owned.emplace(atom->tag[i], i);
  for (int j = atom->nlocal; j < atom->nlocal + atom->nghost; ++j)
    if (const auto found = owned.find(atom->tag[j]); found != owned.end())
      owner_[static_cast<std::size_t>(j)] = found->second;
}

// A pair of two owned atoms across the boundary is in the list twice, from either side.
bool LammpsSystem::stands_for_its_mirror(int i, int j) const {
  const int owner = owner_[static_cast<std::size_t>(j)];
  if (owner == j || owner != i)
    return owner == j || i < owner;
  for (const int axis : {2, 1, 0})
    if (const double d = atom->x[j][axis] - atom->x[i][axis];
        std::abs(d) > 1e-6) // of a lattice vector, else 0
      return d > 0.0;
  return true;
}

void LammpsSystem::collect_candidates(const LAMMPS_NS::NeighList& list, const SystemOptions& options) {
  first_.clear();
  second_.clear();
  const int n_rows = list.inum + (options.wide ? list.gnum : 0);
  for (int k = 0; k < n_rows; ++k) {
    const int i = list.ilist[k];
    if (!is_ours(i, options))
      continue;
    for (int m = 0; m < list.numneigh[i]; ++m) {
      const int j = list.firstneigh[i][m] & NEIGHMASK;
      if (!is_ours(j, options) || !stands_for_its_mirror(i, j))
        continue;
      first_.push_back(i);
      second_.push_back(j);
    }
  }
}

void LammpsSystem::number_rows(const std::vector<char>& has_bond, const SystemOptions& options) {
  rows_.row_of.resize(has_bond.size());
  rows_.atom_of.clear();
  rows_.n_spill = 0;
  others_.clear();
  for (int i = 0; i < atom->nlocal + atom->nghost; ++i) {
    const auto index = static_cast<std::size_t>(i);
    if (is_ours(i, options) && (i < atom->nlocal || has_bond[index])) {
      rows_.row_of[index] = static_cast<int>(rows_.atom_of.size());
      rows_.atom_of.push_back(i);
    } else {
      rows_.row_of[index] = static_cast<int>(-1 - rows_.n_spill++);
      if (options.species_of_type[static_cast<std::size_t>(atom->type[i])] < 0)
        others_.push_back(i);
    }
    if (i + 1 == atom->nlocal)
      rows_.n_owned = rows_.n_rows();
  }
  if (atom->nlocal == 0)
    rows_.n_owned = 0;
}

// At every step, because some fixes swap types between two builds of the list.
void LammpsSystem::update_species(const SystemOptions& options) {
  const auto species = [&](int i) {
    return options.species_of_type[static_cast<std::size_t>(atom->type[i])];
  };
  for (std::size_t row = 0; row < species_.size(); ++row)
    species_[row] = species(rows_.atom_of[row]);
  if (std::ranges::any_of(species_, [](auto s) { return s < 0; }) ||
      std::ranges::any_of(others_, [&](int i) { return species(i) >= 0; }))
    throw unnp::Error("an atom changed between a type of the model and one that pair_coeff maps to NULL, and "
                      "the neighbour list was not rebuilt.");
}

void LammpsSystem::update_bonds(double cutoff, Closeness& closeness) {
  const double cutoff_squared = cutoff * cutoff, close_squared = closeness.reach_squared();
  const auto* const* const x = atom->x;
  const auto n_candidates = first_.size();
  auto* const index_i = bond_index_.data();
  auto* const index_j = bond_index_.data() + n_candidates;
  auto* vector = bond_vector_.data();
  std::size_t n = 0;
  for (std::size_t k = 0; k < n_candidates; ++k) {
    const int i = first_[k], j = second_[k];
    const double dx = x[j][0] - x[i][0], dy = x[j][1] - x[i][1], dz = x[j][2] - x[i][2];
    const double squared = dx * dx + dy * dy + dz * dz;
    if (squared >= cutoff_squared)
      continue;
    index_i[n] = rows_.row_of[static_cast<std::size_t>(i)];
    index_j[n] = rows_.row_of[static_cast<std::size_t>(owner_[static_cast<std::size_t>(j)])];
    if (squared < close_squared)
      closeness.note(species_[static_cast<std::size_t>(index_i[n])],
                     species_[static_cast<std::size_t>(index_j[n])], squared);
    vector[3 * n] = dx, vector[3 * n + 1] = dy, vector[3 * n + 2] = dz;
    ++n;
  }
  std::copy_n(index_j, n, index_i + n); // (2, n) without a gap
  n_bonds_ = static_cast<std::int64_t>(n);
}

double LammpsSystem::memory_usage() const {
  return static_cast<double>((rows_.row_of.capacity() + rows_.atom_of.capacity() + others_.capacity() +
                              owner_.capacity() + first_.capacity() + second_.capacity()) *
                                 sizeof(int) +
                             (species_.capacity() + bond_index_.capacity()) * sizeof(std::int64_t) +
                             bond_vector_.capacity() * sizeof(double));
}

} // namespace unnp_lammps
