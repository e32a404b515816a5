// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <vector>

namespace unnp_lammps {

/// Which row of the model's tensors an atom of LAMMPS is.
///
/// Rows are the owned atoms of the model's types, then the ghosts that can have a bond: atoms of other styles
/// (NULL), ghosts that only some longer-ranged style needs and images of owned atoms cost nothing. Atoms
/// without a row are numbered too, as "spill", because ghosts without a row here may still have to be passed
/// on to a further rank.
struct RowMap {
  std::vector<int> row_of;  ///< by LAMMPS index: the row, or -1 - (spill index)
  std::vector<int> atom_of; ///< by row: the LAMMPS index
  std::int64_t n_owned = 0;
  std::int64_t n_spill = 0;

  std::int64_t n_rows() const { return static_cast<std::int64_t>(atom_of.size()); }
};

} // namespace unnp_lammps
