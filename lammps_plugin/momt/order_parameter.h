// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "pointers.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace LAMMPS_NS {
class NeighList;
}

namespace unnp_lammps::momt {

/// A number that tells crystal from liquid, differentiable in the positions. A new one is one file that
/// defines a class like this and a line in order_parameter.cpp.
class OrderParameter : protected LAMMPS_NS::Pointers {
public:
  explicit OrderParameter(LAMMPS_NS::LAMMPS* lmp) : Pointers(lmp) {}
  ~OrderParameter() override = default;

  /// Default ends of the covered range, of the basins (liquid below, crystal above) and width of hills.
  virtual std::pair<double, double> range() const = 0;
  virtual std::pair<double, double> basins() const = 0;
  virtual double sigma() const = 0;

  /// Throws unnp::Error where the system cannot have this order parameter. Called before every run.
  virtual void check() {}

  /// Whether `take_list` is to be given a full neighbour list.
  virtual bool needs_list() const { return false; }
  virtual void take_list(LAMMPS_NS::NeighList*) {}

  /// s of the current positions, the same on all ranks; collective.
  virtual double compute() = 0;

  /// Adds -slope ds/dx to the forces of the owned atoms and returns this rank's part of -slope ds/d(strain),
  /// in the order xx yy zz xy xz yz. Follows `compute` at the same positions; not collective.
  virtual std::array<double, 6> add_forces(double slope) = 0;
};

/// The order parameter of the words behind `order`; throws unnp::Error.
std::unique_ptr<OrderParameter> make_order_parameter(LAMMPS_NS::LAMMPS* lmp,
                                                     const std::vector<std::string>& words);

} // namespace unnp_lammps::momt
