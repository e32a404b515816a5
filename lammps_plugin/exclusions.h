// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "pointers.h"

#include <string>
#include <vector>

namespace unnp_lammps {

/// What `neigh_modify exclude` and `neigh_modify include` take out of LAMMPS' neighbour lists.
///
/// An atom that is excluded from all others counts as deleted: it has no energy, not even that of its element
/// by itself, because this is how fixes such as gcmc try a deletion. An exclusion of some pairs only has no
/// meaning for a network, whose features would miss bonds. Neither has `include`, with which the atoms
/// outside have no bonds.
class Exclusions : protected LAMMPS_NS::Pointers {
public:
  /// As they are at this moment.
  explicit Exclusions(LAMMPS_NS::LAMMPS* lmp);

  /// Whether an atom, by its LAMMPS index, is excluded from all others.
  bool takes_away(int atom_index) const;

  /// Throws unnp::Error where an exclusion hides pairs of atoms of the model that are not taken away.
  /// `species_of_type` is below 0 for the types of other styles. Looks at the atoms of all ranks; collective.
  void require_whole_atoms(const std::vector<int>& species_of_type) const;
  /// The same for the atoms and ghosts of this rank; not collective.
  void require_whole_atoms_here(const std::vector<int>& species_of_type) const;

private:
  /// Pairs of an atom of one side and one of the other; a side is of a type or of groups.
  struct Pairs {
    struct Side {
      int type = 0;    ///< 0: any
      int bit = -1;    ///< of a group; -1: any
      int not_bit = 0; ///< of a group that it is not in
    };
    Side sides[2];
    std::string command;
  };

  void add_types();
  void add_groups();
  void add_molecules();
  void add_include();
  bool excludes_all_of(int type) const;
  /// For every member of `pairs_`, whether there are atoms of the model on either side.
  std::vector<int> present(const std::vector<int>& species_of_type, int n_atoms) const;
  void refuse(const std::vector<int>& present) const;

  std::vector<char> type_is_away_;
  int bits_away_ = 0; ///< of the groups that are excluded from all atoms
  std::vector<Pairs> pairs_;
};

} // namespace unnp_lammps
