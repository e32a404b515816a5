// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <utility>

namespace unnp_lammps::momt {

/// Counts how often the order parameter goes from one basin to the other; what lies between belongs to the
/// basin before.
class Passages {
public:
  enum class Basin : std::int64_t { unknown, liquid, crystal };

  Passages() = default;
  /// Liquid below the first, crystal above the second.
  explicit Passages(std::pair<double, double> basins) : basins_(basins) {}

  void see(double order) {
    const auto before = basin_;
    if (order < basins_.first)
      basin_ = Basin::liquid;
    else if (order > basins_.second)
      basin_ = Basin::crystal;
    if (before != Basin::unknown && before != basin_)
      ++count_;
  }

  std::int64_t count() const { return count_; }
  double round_trips() const { return 0.5 * static_cast<double>(count_); }

  /// For restart files.
  struct Saved {
    Basin basin;
    std::int64_t count;
  };
  Saved saved() const { return {basin_, count_}; }
  void restore(const Saved& saved) {
    basin_ = saved.basin;
    count_ = saved.count;
  }

private:
  std::pair<double, double> basins_{0.0, 0.0};
  Basin basin_ = Basin::unknown;
  std::int64_t count_ = 0;
};

} // namespace unnp_lammps::momt
