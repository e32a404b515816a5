#pragma once

#include "unnp/system.h"

#include <array>
#include <cstdint>
#include <vector>

namespace unnp {

/// A bar of atoms, 3 x 3 in cross-section, all of them owned; the first is in the middle of one end.
class Bar {
public:
  /// A bar that is longer than `reach` [A] by a cutoff, of atoms that have some three neighbours within the
  /// cutoff along each direction, of `n_species` species in turn.
  Bar(double cutoff, double reach, std::int64_t n_species);

  /// The same without the atoms that are farther than `reach` from the first.
  Bar within(double reach) const;

  std::int64_t size() const { return static_cast<std::int64_t>(species_.size()); }
  /// Valid as long as the bar.
  System system() const;

private:
  Bar() = default;
  void find_bonds();

  double cutoff_ = 0.0;
  std::vector<std::array<double, 3>> positions_;
  std::vector<std::int64_t> species_, bond_index_;
  std::vector<double> bond_vector_;
};

} // namespace unnp
