#pragma once

#include <cstdint>
#include <span>

namespace unnp {

/// The atoms and bonds of one rank, as views into memory of the caller.
///
/// Rows are ordered: owned atoms, then ghosts. A bond is listed once per rank; a bond between an owned atom
/// and a ghost is listed by both owners, and each listing updates the atom it owns.
struct System {
  /// Atoms whose energies count, the first rows.
  std::int64_t n_owned = 0;
  /// Rows the model updates: n_owned, or all rows where no exchange takes place (halo "wide").
  std::int64_t n_updated = 0;
  /// Index into the model's list of elements of every row.
  std::span<const std::int64_t> species;
  /// (2, n_bonds): all first ends i, then all second ends j; i < n_updated.
  std::span<const std::int64_t> bond_index;
  /// (n_bonds, 3) r_j - r_i [A].
  std::span<const double> bond_vector;
  /// Position of the level of theory in the model's list of heads.
  std::int64_t head = 0;
  /// Handle of the registered Halo, 0 for none.
  std::int64_t halo = 0;

  std::int64_t n_all() const { return static_cast<std::int64_t>(species.size()); }
  std::int64_t n_bonds() const { return static_cast<std::int64_t>(bond_vector.size() / 3); }
};

} // namespace unnp
