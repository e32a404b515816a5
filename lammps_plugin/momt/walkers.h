// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "postbox.h"

#include "unnp/momt/bias.h"

#include "pointers.h"

#include <cstdint>
#include <string>
#include <vector>

namespace unnp_lammps::momt {

/// The partitions of this LAMMPS that share one bias, or this partition alone.
///
/// Walkers tell each other what they see, and also that they leave: at an early end of a run, with the fix,
/// and with LAMMPS. Whoever waits for one that has left ends with an error.
class Walkers : protected LAMMPS_NS::Pointers {
public:
  Walkers(LAMMPS_NS::LAMMPS* lmp, bool shared);
  Walkers(const Walkers&) = delete;
  Walkers& operator=(const Walkers&) = delete;
  ~Walkers() override;

  /// Whether this rank writes what all walkers have in common.
  bool writes() const;

  /// To be called where a run begins. Throws unnp::Error where the walkers have not been given the same
  /// `text`, or where one does not come; collective over this partition.
  void require_same(const std::string& text) const;

  struct Gathered {
    std::vector<unnp::momt::Sample> samples; // of all walkers, in their order
    std::int64_t passages = 0;               // of all walkers
    bool stop = false;                       // one of them has to end its run here, and so has each
  };

  /// What all walkers see, which have to come to it at the same step; throws unnp::Error otherwise, and
  /// where one has left. Collective over this partition.
  Gathered gather(std::int64_t step, const unnp::momt::Sample& mine, std::int64_t passages, bool wants_stop);

  /// To be called where a run ends before its last step.
  void stop_early(std::int64_t step) const;

private:
  void exchange_samples(const Message& own, std::vector<Message>& all) const;
  Message next(int walker, bool begins) const;
  void send(Message message) const;
  /// What to say of a message that is not the one expected.
  std::string explain(int walker, const Message& message, bool begins) const;

  Postbox* postbox_ = nullptr; // on the first rank of a partition that shares
  int n_walkers_ = 1;
  std::int64_t membership_ = 0;
};

} // namespace unnp_lammps::momt
