// SPDX-License-Identifier: GPL-2.0-only
#include "exclusions.h"

#include "unnp/error.h"

#include "atom.h"
#include "group.h"
#include "neighbor.h"

#include <algorithm>

namespace unnp_lammps {

namespace {

constexpr int all_atoms = 0; // index of LAMMPS' group `all`

} // namespace

// Neighbor::exclude, ex_type and the bits are those of the last run until the next one has begun, hence the
// lists of the commands themselves.
Exclusions::Exclusions(LAMMPS_NS::LAMMPS* lmp) : Pointers(lmp) {
  add_types();
  add_groups();
  add_molecules();
  add_include();
}

void Exclusions::add_types() {
  type_is_away_.assign(static_cast<std::size_t>(atom->ntypes) + 1, 0);
  for (int type = 1; neighbor->nex_type > 0 && type <= atom->ntypes; ++type)
    type_is_away_[type] = excludes_all_of(type);
  for (int k = 0; k < neighbor->nex_type; ++k) {
    const int a = neighbor->ex1_type[k], b = neighbor->ex2_type[k];
    if (!type_is_away_[a] && !type_is_away_[b])
      pairs_.push_back(
          {{{.type = a}, {.type = b}}, "exclude type " + std::to_string(a) + " " + std::to_string(b)});
  }
}

bool Exclusions::excludes_all_of(int type) const {
  std::vector<char> excluded(static_cast<std::size_t>(atom->ntypes) + 1, 0);
  for (int k = 0; k < neighbor->nex_type; ++k) {
    const int a = neighbor->ex1_type[k], b = neighbor->ex2_type[k];
    if (a == type)
      excluded[b] = 1;
    if (b == type)
      excluded[a] = 1;
  }
  return std::all_of(excluded.begin() + 1, excluded.end(), [](char is) { return is != 0; });
}

void Exclusions::add_groups() {
  for (int k = 0; k < neighbor->nex_group; ++k) {
    const int a = neighbor->ex1_group[k], b = neighbor->ex2_group[k];
    if (a == all_atoms || b == all_atoms)
      bits_away_ |= group->bitmask[a == all_atoms ? b : a];
    else
      pairs_.push_back({{{.bit = group->bitmask[a]}, {.bit = group->bitmask[b]}},
                        std::string("exclude group ") + group->names[a] + " " + group->names[b]});
  }
}

void Exclusions::add_molecules() {
  for (int k = 0; k < neighbor->nex_mol; ++k) {
    const int members = neighbor->ex_mol_group[k];
    const int bit = group->bitmask[members];
    pairs_.push_back(
        {{{.bit = bit}, {.bit = bit}},
         std::string(neighbor->ex_mol_intra[k] ? "exclude molecule/intra " : "exclude molecule/inter ") +
             group->names[members]});
  }
}

void Exclusions::add_include() {
  if (neighbor->includegroup == all_atoms)
    return;
  const Pairs::Side outside{.not_bit = group->bitmask[neighbor->includegroup]};
  pairs_.push_back({{outside, outside}, std::string("include ") + group->names[neighbor->includegroup]});
}

bool Exclusions::takes_away(int atom_index) const {
  const int mask = atom->mask[atom_index];
  return (mask & bits_away_) != 0 || type_is_away_[atom->type[atom_index]];
}

std::vector<int> Exclusions::present(const std::vector<int>& species_of_type, int n_atoms) const {
  std::vector<int> found(2 * pairs_.size(), 0);
  for (int i = 0; !pairs_.empty() && i < n_atoms; ++i) {
    if (species_of_type[static_cast<std::size_t>(atom->type[i])] < 0 || takes_away(i))
      continue;
    for (std::size_t k = 0; k < found.size(); ++k) {
      const auto& side = pairs_[k / 2].sides[k % 2];
      if ((side.type == 0 || side.type == atom->type[i]) && (atom->mask[i] & side.bit) != 0 &&
          (atom->mask[i] & side.not_bit) == 0)
        found[k] = 1;
    }
  }
  return found;
}

void Exclusions::refuse(const std::vector<int>& present) const {
  for (std::size_t k = 0; k < pairs_.size(); ++k)
    if (present[2 * k] && present[2 * k + 1])
      throw unnp::Error(
          "neigh_modify " + pairs_[k].command +
          " hides bonds of atoms of the model, so that the forces on all atoms near them would be wrong; "
          "leave "
          "it out (neigh_modify exclude none, include all), and hold atoms with fix setforce 0 0 0 or by "
          "leaving them out of the fixes that move atoms. Only whole atoms can be taken away: neigh_modify "
          "exclude group ID all.");
}

void Exclusions::require_whole_atoms(const std::vector<int>& species_of_type) const {
  auto found = present(species_of_type, atom->nlocal);
  MPI_Allreduce(MPI_IN_PLACE, found.data(), static_cast<int>(found.size()), MPI_INT, MPI_MAX, world);
  refuse(found);
}

void Exclusions::require_whole_atoms_here(const std::vector<int>& species_of_type) const {
  refuse(present(species_of_type, atom->nlocal + atom->nghost));
}

} // namespace unnp_lammps
