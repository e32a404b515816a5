#pragma once

#include "unnp/potential.h"

namespace unnp {

/// Turns g = dE/dr of each bond, (n_bonds, 3), into forces and virials: F_i += g, F_j -= g, W -= r (x) g.
/// Sums are float64 whatever the gradient's type.
template <typename Real>
void add_derivatives(const System& system, const Real* gradient, bool atom_virial, Evaluation& result);

} // namespace unnp
