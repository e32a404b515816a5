// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "unnp/momt/bias.h"

#include "pointers.h"

#include <cstdint>
#include <string>
#include <vector>

namespace unnp_lammps::momt {

/// The partitions of this LAMMPS that share one bias, or this partition alone.
class Walkers : protected LAMMPS_NS::Pointers {
public:
  Walkers(LAMMPS_NS::LAMMPS* lmp, bool shared);
  ~Walkers() override;

  int count() const { return count_; }
  /// Whether this rank writes what all walkers have in common.
  bool writes() const;

  /// Throws unnp::Error where the walkers have not been given the same `text`; collective over all of them.
  void require_same(const std::string& text) const;

  struct Gathered {
    std::vector<unnp::momt::Sample> samples; // of all walkers, in their order
    std::int64_t passages = 0;               // of all walkers
  };

  /// Collective over all walkers, which have to come to it at the same step; throws unnp::Error otherwise.
  Gathered gather(std::int64_t step, const unnp::momt::Sample& mine, std::int64_t passages) const;

private:
  int count_ = 1;
  MPI_Comm roots_ = MPI_COMM_NULL; // rank 0 of every partition
};

} // namespace unnp_lammps::momt
