// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "row_map.h"
#include "unnp/halo.h"

#include <vector>

namespace LAMMPS_NS {
class LAMMPS;
class Pair;
} // namespace LAMMPS_NS

namespace unnp_lammps {

/// Carries features through LAMMPS' own forward and reverse communication of a pair style, and sums over its
/// world.
///
/// Rows travel as bytes in LAMMPS' buffers of doubles, so that a double holds two float32.
class LammpsHalo : public unnp::Halo {
public:
  LammpsHalo(LAMMPS_NS::LAMMPS& lammps, LAMMPS_NS::Pair* pair, const RowMap& rows);

  std::int64_t n_owned() const override { return map_.n_owned; }
  std::int64_t n_all() const override { return map_.n_rows(); }

  // What the pair style forwards from LAMMPS' communication.
  int pack_forward(int n, const int* list, double* buffer);
  void unpack_forward(int n, int first, const double* buffer);
  int pack_reverse(int n, int first, double* buffer);
  void unpack_reverse(int n, const int* list, const double* buffer);

  /// Doubles that one atom's row takes in a buffer.
  static int doubles(unnp::RowFormat format) { return static_cast<int>((format.bytes() + 7) / 8); }

protected:
  void fetch(std::byte* rows, unnp::RowFormat format) override;
  void add(std::byte* rows, unnp::RowFormat format) override;
  void sum_over_ranks(std::byte* values, unnp::RowFormat format) override;

private:
  void start(std::byte* rows, unnp::RowFormat format);
  std::byte* row(int atom);

  LAMMPS_NS::LAMMPS& lammps_; // and not its Comm, which `comm_style` replaces
  LAMMPS_NS::Pair* pair_;
  const RowMap& map_;
  std::byte* rows_ = nullptr;
  unnp::RowFormat format_;
  std::size_t bytes_ = 0;
  int doubles_ = 0;
  std::vector<std::byte> spill_;
};

} // namespace unnp_lammps
