// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "unnp/momt/words.h"

#include "pointers.h"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace LAMMPS_NS {
class NeighList;
}

namespace unnp_lammps::momt {

/// What an order parameter has where the command says nothing else.
struct OrderDefaults {
  std::pair<double, double> range;  ///< covered values
  std::pair<double, double> basins; ///< liquid below the first, crystal above the second
  double sigma;                     ///< width of umbrellas and hills
};

/// A number that tells crystal from liquid, differentiable in the positions.
///
/// A new one is one file in order_parameters/: a class like this, a function that reads its words, and an
/// `OrderStyle` with the word by which it is found.
class OrderParameter : protected LAMMPS_NS::Pointers {
public:
  explicit OrderParameter(LAMMPS_NS::LAMMPS* lmp) : Pointers(lmp) {}
  ~OrderParameter() override = default;

  virtual OrderDefaults defaults() const = 0;

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

/// Makes an order parameter from the words that have been read.
using MakeOrder = std::function<std::unique_ptr<OrderParameter>(LAMMPS_NS::LAMMPS*)>;

/// An order parameter as the keyword `order` finds it. A static object in the file of the order parameter
/// adds it to the table of all.
struct OrderStyle {
  OrderStyle(std::string name, MakeOrder (*read)(unnp::momt::Words&));

  std::string name;
  /// Takes the words behind the name; throws unnp::Error.
  MakeOrder (*read)(unnp::momt::Words&);
};

/// Takes the words behind `order`: the name and what belongs to it. Makes nothing for `none`. Throws
/// unnp::Error.
MakeOrder read_order(unnp::momt::Words& words);

} // namespace unnp_lammps::momt
