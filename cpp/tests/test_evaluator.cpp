// A scripted model of two outputs with known derivatives, evaluated as LAMMPS does.
#include "check.h"

#include "model/evaluator.h"

#include <cmath>

namespace {

torch::jit::Module springs() {
  torch::jit::Module module("springs");
  module.define(R"(
def features(self, species, bond_index, bond_vector, graph, head, n_updated: int, halo: int):
    r2 = (bond_vector * bond_vector).sum(1)
    sums = r2.new_zeros([species.size(0)]).index_add(0, bond_index[0], r2).index_add(0, bond_index[1], r2)
    return torch.stack([sums, 2.0 * sums], 1)[:n_updated]
def forward(self, species, bond_index, bond_vector, graph, head, n_updated: int, halo: int):
    return 0.5 * self.features(species, bond_index, bond_vector, graph, head, n_updated, halo)[:, 0] + head[0]
def outputs(self, species, bond_index, bond_vector, graph, head, n_updated: int, halo: int) -> Dict[str, Tensor]:
    h = self.features(species, bond_index, bond_vector, graph, head, n_updated, halo)
    return {"features": h, "charge": h[:, 0] * h[:, 0], "total": h[:, 0].sum().reshape(1)}
)");
  return module;
}

// Three atoms in a row at distances of 1 and 2.
const std::vector<std::int64_t> species = {0, 0, 0}, bond_index = {0, 1, 1, 2};
const std::vector<double> bond_vector = {1, 0, 0, 2, 0, 0};

unnp::System row(std::int64_t head = 0) {
  return {.n_owned = 3,
          .n_updated = 3,
          .species = species,
          .bond_index = bond_index,
          .bond_vector = bond_vector,
          .head = head};
}

unnp::Evaluator evaluator() {
  return {springs(), at::kCPU, at::kDouble};
}

bool close(double a, double b) {
  return std::abs(a - b) < 1e-12;
}

} // namespace

TEST(the_head_of_a_system_reaches_the_model) {
  unnp::Evaluation first, second;
  evaluator().evaluate(row(), false, first);
  evaluator().evaluate(row(2), false, second);
  CHECK(close(first.energy, 5.0) && close(second.energy, 11.0) && close(second.atom_energy[0], 2.5));
}

TEST(values_of_an_output) {
  const auto features = evaluator().values(row(), {.name = "features", .shape = {2}});
  CHECK(features == (std::vector<double>{1, 2, 5, 10, 4, 8}));
  CHECK(evaluator().values(row(), {.name = "total", .per_atom = false}) == std::vector<double>{10});
}

TEST(derivatives_of_an_output_of_atoms) {
  // q = s^2 with s = (a, a + b, b), a and b the squared distances: dQ/dr_1 = 2 (a + a + b) 2 r_1, r_2 alike.
  unnp::Evaluation result;
  evaluator().evaluate_output(row(), {.name = "charge"}, false, result);
  CHECK(close(result.energy, 1 + 25 + 16) && close(result.atom_energy[1], 25));
  CHECK(close(result.forces[0], 4 * 6.0) && close(result.forces[6], -4 * 2 * 9.0));
  CHECK(close(result.forces[3], -24.0 + 72.0) && close(result.virial[0], -(24.0 + 2 * 72.0)));
}

TEST(derivatives_of_an_output_of_the_structure) {
  unnp::Evaluation result;
  evaluator().evaluate_output(row(), {.name = "total", .per_atom = false}, false, result);
  CHECK(close(result.energy, 10) && close(result.forces[0], 4) && close(result.forces[6], -8));
}

TEST(outputs_that_cannot_be_had) {
  unnp::Evaluation result;
  CHECK_ERROR(evaluator().evaluate_output(row(), {.name = "features", .shape = {2}}, false, result),
              "'features' is none");
  CHECK_ERROR(evaluator().values(row(), {.name = "features", .shape = {3}}), "that its manifest declares");
  CHECK_ERROR(evaluator().values(row(), {.name = "spin"}), "does not give the output 'spin'");
}
