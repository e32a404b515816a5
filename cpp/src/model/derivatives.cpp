#include "derivatives.h"

#include <cmath>

namespace unnp {

namespace {

template <bool per_atom, typename Real>
void scatter(const System& system, const Real* gradient, Evaluation& result) {
  const auto n_bonds = system.n_bonds();
  const auto* const first = system.bond_index.data();
  const auto* const second = first + n_bonds;
  const auto* const vector = system.bond_vector.data();
  std::array<double, 9> virial{};
  for (std::int64_t bond = 0; bond < n_bonds; ++bond) {
    double* const force_i = &result.forces[3 * first[bond]];
    double* const force_j = &result.forces[3 * second[bond]];
    for (int a = 0; a < 3; ++a) {
      const double g = gradient[3 * bond + a];
      force_i[a] += g;
      force_j[a] -= g;
    }
    for (int a = 0; a < 3; ++a) {
      for (int b = 0; b < 3; ++b) {
        const double w = -vector[3 * bond + a] * static_cast<double>(gradient[3 * bond + b]);
        virial[3 * a + b] += w;
        if constexpr (per_atom) {
          result.atom_virial[9 * first[bond] + 3 * a + b] += 0.5 * w;
          result.atom_virial[9 * second[bond] + 3 * a + b] += 0.5 * w;
        }
      }
    }
  }
  result.virial = virial;
}

} // namespace

template <typename Real>
void add_derivatives(const System& system, const Real* gradient, bool atom_virial, Evaluation& result) {
  result.forces.assign(3 * system.species.size(), 0.0);
  result.atom_virial.assign(atom_virial ? 9 * system.species.size() : 0, 0.0);
  if (atom_virial)
    scatter<true>(system, gradient, result);
  else
    scatter<false>(system, gradient, result);
}

template void add_derivatives(const System&, const float*, bool, Evaluation&);
template void add_derivatives(const System&, const double*, bool, Evaluation&);

std::int64_t first_bad_row(const Evaluation& evaluation) {
  for (std::size_t row = 0; row < evaluation.atom_energy.size(); ++row)
    if (!std::isfinite(evaluation.atom_energy[row]))
      return static_cast<std::int64_t>(row);
  for (std::size_t k = 0; k < evaluation.forces.size(); ++k)
    if (!std::isfinite(evaluation.forces[k]))
      return static_cast<std::int64_t>(k / 3);
  return -1;
}

} // namespace unnp
