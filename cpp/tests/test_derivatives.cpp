#include "check.h"

#include "model/derivatives.h"

#include <cmath>
#include <limits>

namespace {

// Two owned atoms and a ghost, bonds 0-1 and 1-2.
const std::vector<std::int64_t> species = {0, 0, 0}, bond_index = {0, 1, 1, 2};
const std::vector<double> bond_vector = {1, 0, 0, 0, 2, 1};
const unnp::System bonded = {
    .n_owned = 2, .n_updated = 2, .species = species, .bond_index = bond_index, .bond_vector = bond_vector};

} // namespace

TEST(forces_and_virials_follow_from_bond_gradients) {
  const std::vector<float> gradient = {1, 2, 3, 4, 5, 6};
  unnp::Evaluation result;
  unnp::add_derivatives(bonded, gradient.data(), true, result);
  CHECK((result.forces == std::vector<double>{1, 2, 3, 3, 3, 3, -4, -5, -6}));
  CHECK((result.virial == std::array<double, 9>{-1, -2, -3, -8, -10, -12, -4, -5, -6}));
  CHECK((result.atom_virial == std::vector<double>{-.5, -1, -1.5, 0,  0,  0,  0,  0,    0,  //
                                                   -.5, -1, -1.5, -4, -5, -6, -2, -2.5, -3, //
                                                   0,   0,  0,    -4, -5, -6, -2, -2.5, -3}));
}

TEST(buffers_are_reused_and_cleared) {
  unnp::Evaluation result;
  const std::vector<double> ones(6, 1.0), zeros(6, 0.0);
  unnp::add_derivatives(bonded, ones.data(), true, result);
  unnp::add_derivatives(bonded, zeros.data(), false, result);
  CHECK(result.forces == std::vector<double>(9, 0.0) && result.atom_virial.empty());
}

TEST(finds_rows_that_are_not_finite) {
  unnp::Evaluation result;
  result.atom_energy = {0.0, 1.0};
  result.forces.assign(9, 0.0);
  CHECK(unnp::first_bad_row(result) == -1);
  result.forces[8] = std::numeric_limits<double>::infinity();
  CHECK(unnp::first_bad_row(result) == 2);
  result.atom_energy[1] = std::nan("");
  CHECK(unnp::first_bad_row(result) == 1);
}
