// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <mpi.h>

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

namespace LAMMPS_NS {
class LAMMPS;
}

namespace unnp_lammps::momt {

/// What a walker tells the others. The messages between two walkers arrive in the order in which they were
/// sent, so that nobody has to wait for one that has left: its last message says so.
struct Message {
  enum Kind { here, begins, sample, stopped, left, ended };
  Kind kind = ended;
  std::int64_t membership = 0; ///< counts the times that a walker has joined
  std::int64_t step = 0;
  std::array<double, 4> numbers{}; ///< of a sample
  std::uint64_t hash = 0;          ///< of what has to be the same, where a run begins
  bool wants_stop = false;
};

/// Point-to-point messages between the first ranks of the partitions. Nothing in it is collective.
///
/// A partition says that it is here when the plugin is loaded, and, whether or not it has had a walker, that
/// it has ended: by `quit`, at the end of its input, or otherwise.
class Postbox {
public:
  explicit Postbox(const LAMMPS_NS::LAMMPS& lammps);

  /// To be called where the plugin is loaded, as often as that is.
  static void open(const LAMMPS_NS::LAMMPS& lammps);
  /// The one of this LAMMPS; only on the first ranks of partitions.
  static Postbox& of(const LAMMPS_NS::LAMMPS& lammps);

  int n_walkers() const { return static_cast<int>(ranks_.size()); }

  void send_to_all(const Message& message) const;
  /// Waits for the next message of a walker. Calls `wait` with the seconds waited so far, every second.
  Message receive(int walker, const std::function<void(double)>& wait);
  /// Says that this partition has ended, once, and takes in what others have sent until they end.
  void close();

private:
  bool is_here(int walker) const;

  MPI_Comm universe_;
  std::vector<int> ranks_; // of the partitions' first ranks
  int own_ = 0;
  std::vector<char> heard_; // whether a partition has said anything
  bool closed_ = false;
};

} // namespace unnp_lammps::momt
