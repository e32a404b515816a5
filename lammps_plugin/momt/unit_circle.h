// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstddef>

namespace unnp_lammps::momt {

// Loops over atoms, compiled for several instruction sets; arrays are structures of arrays, positions and
// forces triplets as LAMMPS has them.

/// cos and sin of 2 pi a.(x - origin) of every atom, to a few units of the last place.
void unit_circle(const std::array<double, 3>& a, const double* origin, const double* x, std::size_t n_atoms,
                 double* cosines, double* sines);

/// (real + i imaginary) *= (c + i s), or its conjugate.
void multiply(double* real, double* imaginary, const double* c, const double* s, bool conjugate,
              std::size_t n_atoms);

double sum(const double* values, std::size_t n_atoms);

/// f += direction (by_real real + by_imaginary imaginary) for every atom.
void add_along(const std::array<double, 3>& direction, double by_real, double by_imaginary,
               const double* real, const double* imaginary, std::size_t n_atoms, double* f);

} // namespace unnp_lammps::momt
