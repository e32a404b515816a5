// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "closeness.h"
#include "exclusions.h"
#include "row_map.h"
#include "unnp/system.h"

#include "pointers.h"

#include <optional>
#include <vector>

namespace LAMMPS_NS {
class NeighList;
}

namespace unnp_lammps {

/// What the pair style is evaluated for.
struct SystemOptions {
  std::vector<int> species_of_type; ///< -1: another style's
  double cutoff = 0.0;              ///< [A]
  bool wide = false;                ///< ghosts are updated by this rank itself
};

/// The atoms and bonds of this rank as the core library sees them, from LAMMPS' half list with newton off.
///
/// Rows and candidate pairs (up to cutoff + skin) change only when LAMMPS rebuilds its list. At every step
/// the candidates that are bonds at this moment are written out in one sweep, grouped by their first atom.
/// The sweep takes about 1 % of a step, while with cutoff 5 A and skin 2 A there are 1.7 further candidates
/// for each bond, on which the network would work as long as on bonds, only to have its cutoff function
/// multiply the result by zero.
///
/// A ghost that is the image of an atom of this rank stands for that atom itself, so that a bond across the
/// boundary is there once, and not once from either side as those between two ranks are. In a cube of 2,048
/// atoms on one rank these are a fifth of all bonds. With the wide halo all ghosts keep rows of their own.
class LammpsSystem : protected LAMMPS_NS::Pointers {
public:
  explicit LammpsSystem(LAMMPS_NS::LAMMPS* lmp);

  /// The system at the present positions; valid until the next call. `closeness` hears of short bonds. Throws
  /// unnp::Error.
  unnp::System update(const LAMMPS_NS::NeighList& list, const SystemOptions& options, Closeness& closeness);

  /// To be called where a run begins: the list will be another one.
  void forget() { built_calls_ = -1; }

  const RowMap& rows() const { return rows_; }
  double memory_usage() const;

private:
  bool is_known_build() const;
  bool is_ours(int atom_index, const SystemOptions& options) const;
  void find_owners(const SystemOptions& options);
  bool stands_for_its_mirror(int i, int j) const;
  void rebuild(const LAMMPS_NS::NeighList& list, const SystemOptions& options);
  void collect_candidates(const LAMMPS_NS::NeighList& list, const SystemOptions& options);
  void number_rows(const std::vector<char>& has_bond, const SystemOptions& options);
  void update_species(const SystemOptions& options);
  void update_bonds(double cutoff, Closeness& closeness);

  RowMap rows_;
  std::optional<Exclusions> exclusions_; ///< at the last build of the list
  std::vector<int> others_;              ///< atoms of the types of other styles
  std::vector<int> owner_;          ///< by LAMMPS index: the atom itself, or the owned one it is an image of
  std::vector<int> first_, second_; ///< candidate pairs, LAMMPS indices
  std::vector<std::int64_t> species_;
  std::vector<std::int64_t> bond_index_;
  std::vector<double> bond_vector_;
  std::int64_t n_bonds_ = 0;
  std::int64_t built_calls_ = -1, built_step_ = -1;
  int built_local_ = -1, built_ghost_ = -1;
};

} // namespace unnp_lammps
