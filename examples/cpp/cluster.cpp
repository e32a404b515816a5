// Prints the energy of a cluster of atoms in vacuum [eV] and the forces on them [eV/A]:
//
//   cluster model.pt [float32 | float64] < cluster.xyz
#include <unnp/error.h>
#include <unnp/potential.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

namespace {

struct Atoms {
  std::vector<std::int64_t> species; // positions in the model's list of elements
  std::vector<double> positions;     // x, y, z of one atom after the other [A]
};

Atoms read_xyz(std::istream& file, const std::vector<std::string>& elements) {
  std::size_t n = 0;
  file >> n;
  file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  file.ignore(std::numeric_limits<std::streamsize>::max(), '\n'); // the comment
  Atoms atoms;
  std::string element;
  double x = 0.0, y = 0.0, z = 0.0;
  while (atoms.species.size() < n && file >> element >> x >> y >> z) {
    const auto found = std::find(elements.begin(), elements.end(), element);
    if (found == elements.end())
      throw unnp::Error("the model does not know '" + element + "', only " + unnp::join(elements) + ".");
    atoms.species.push_back(found - elements.begin());
    atoms.positions.insert(atoms.positions.end(), {x, y, z});
  }
  if (n == 0 || atoms.species.size() != n)
    throw unnp::Error("the input is not an XYZ file.");
  return atoms;
}

// Each pair of atoms within the cutoff once: all first ends, all second ends, and the vectors between them.
struct Bonds {
  std::vector<std::int64_t> index;
  std::vector<double> vectors;
};

Bonds list_bonds(const Atoms& atoms, double cutoff) {
  Bonds bonds;
  std::vector<std::int64_t> second_ends;
  const auto n = static_cast<std::int64_t>(atoms.species.size());
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = i + 1; j < n; ++j) {
      const double* const a = &atoms.positions[3 * i];
      const double* const b = &atoms.positions[3 * j];
      const double r[] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]};
      if (std::hypot(r[0], r[1], r[2]) >= cutoff)
        continue;
      bonds.index.push_back(i);
      second_ends.push_back(j);
      bonds.vectors.insert(bonds.vectors.end(), r, r + 3);
    }
  }
  bonds.index.insert(bonds.index.end(), second_ends.begin(), second_ends.end());
  return bonds;
}

void run(const char* model, const char* dtype) {
  auto potential = unnp::Potential::load(model, {.device = "cpu", .dtype = dtype});
  const auto atoms = read_xyz(std::cin, potential.manifest().elements);
  const auto bonds = list_bonds(atoms, potential.manifest().cutoff);
  const auto n = static_cast<std::int64_t>(atoms.species.size());
  const unnp::System system{.n_owned = n,
                            .n_updated = n,
                            .species = atoms.species,
                            .bond_index = bonds.index,
                            .bond_vector = bonds.vectors};
  unnp::Evaluation result;
  potential.evaluate(system, false, result);
  std::printf("%.17g\n", result.energy);
  for (std::int64_t i = 0; i < n; ++i)
    std::printf("%.17g %.17g %.17g\n", result.forces[3 * i], result.forces[3 * i + 1],
                result.forces[3 * i + 2]);
}

} // namespace

int main(int n_arguments, char** arguments) {
  if (n_arguments < 2 || n_arguments > 3) {
    std::fprintf(stderr, "usage: cluster model.pt [float32 | float64] < cluster.xyz\n");
    return 2;
  }
  try {
    run(arguments[1], n_arguments == 3 ? arguments[2] : "model");
  } catch (const unnp::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
