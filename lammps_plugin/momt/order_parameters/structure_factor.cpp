// SPDX-License-Identifier: GPL-2.0-only
#include "structure_factor.h"

#include "../unit_circle.h"

#include "unnp/error.h"

#include "atom.h"
#include "domain.h"
#include "error.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace unnp_lammps::momt {

namespace {

using Triplet = std::array<int, 3>;

constexpr int most_triplets = 100'000, largest = 1'000'000;

/// s = (1/K) sum_k |rho_k|^2 / N^2 with rho_k = sum_j exp(i k.r_j), k = 2 pi h^-T n for K triplets n of
/// integers: 1 for a perfect crystal whose reflections they are, about 1/N for a liquid. As the k move with
/// the box, s does not change with the strain at fixed scaled coordinates, and its virial is zero.
class StructureFactor final : public OrderParameter {
public:
  StructureFactor(LAMMPS_NS::LAMMPS* lmp, const std::vector<Triplet>& triplets);

  OrderDefaults defaults() const override {
    return {.range = {0.0, 0.9}, .basins = {0.1, 0.35}, .sigma = 0.015};
  }
  void check() override;
  double compute() override;
  std::array<double, 6> add_forces(double slope) override;

private:
  /// exp(2 pi i n lambda) of every owned atom for one n along one edge.
  struct Wave {
    int edge, n;
    std::vector<double> real, imaginary;
  };

  /// A triplet as the product of up to three waves; -1 where its number is 0, `conjugate` where it is
  /// negative.
  struct Reflection {
    Triplet n;
    std::array<int, 3> wave;
    std::array<bool, 3> conjugate;
  };

  void require_unflipped_box();
  void compute_waves();
  void compute_phases();

  std::vector<Wave> waves_;
  std::vector<Reflection> reflections_;
  std::array<double, 3> tilts_{}; // of the box, in units of its edges, at the step before
  bool knows_tilts_ = false;
  std::vector<double> phases_; // real and imaginary part of each reflection, atom after atom
  std::vector<double> sums_, sums_of_this_rank_; // rho_k, real and imaginary
};

StructureFactor::StructureFactor(LAMMPS_NS::LAMMPS* lmp, const std::vector<Triplet>& triplets)
    : OrderParameter(lmp) {
  for (const auto& n : triplets) {
    Reflection reflection{n, {-1, -1, -1}, {n[0] < 0, n[1] < 0, n[2] < 0}};
    for (int edge = 0; edge < 3; ++edge) {
      if (n[edge] == 0)
        continue;
      const auto same = [&](const Wave& wave) { return wave.edge == edge && wave.n == std::abs(n[edge]); };
      const auto found = std::ranges::find_if(waves_, same);
      reflection.wave[edge] = static_cast<int>(found - waves_.begin());
      if (found == waves_.end())
        waves_.push_back({edge, std::abs(n[edge]), {}, {}});
    }
    reflections_.push_back(reflection);
  }
  sums_.resize(2 * reflections_.size());
  sums_of_this_rank_.resize(2 * reflections_.size());
}

void StructureFactor::check() {
  knows_tilts_ = false;
  for (const auto& wave : waves_)
    if (!domain->periodicity[wave.edge])
      throw unnp::Error("the order parameter counts waves along the edge " +
                        std::string(1, "xyz"[wave.edge]) + " of the box, which has to be periodic there.");
}

void StructureFactor::compute_waves() {
  const auto n_atoms = static_cast<std::size_t>(atom->nlocal);
  const double* const h = domain->h_inv;
  const double rows[3][3] = {{h[0], h[5], h[4]}, {0.0, h[1], h[3]}, {0.0, 0.0, h[2]}};
  for (auto& wave : waves_) {
    wave.real.resize(n_atoms);
    wave.imaginary.resize(n_atoms);
    const auto* const row = rows[wave.edge];
    const auto n = static_cast<double>(wave.n);
    unit_circle({n * row[0], n * row[1], n * row[2]}, domain->boxlo, n_atoms > 0 ? atom->x[0] : nullptr,
                n_atoms, wave.real.data(), wave.imaginary.data());
  }
}

// A barostat may replace an edge of a tilted box by an equivalent one: the same crystal then has other
// triplets.
void StructureFactor::require_unflipped_box() {
  const std::array<double, 3> tilts{domain->xy / domain->xprd, domain->xz / domain->xprd,
                                    domain->yz / domain->yprd};
  for (int k = 0; k < 3 && knows_tilts_; ++k)
    if (std::abs(tilts[k] - tilts_[k]) > 0.5)
      error->all(FLERR, "fix momt: the box has flipped, so that the triplets of the order parameter no "
                        "longer are those of the "
                        "crystal; give the barostat  flip no");
  tilts_ = tilts;
  knows_tilts_ = true;
}

void StructureFactor::compute_phases() {
  const auto n_atoms = static_cast<std::size_t>(atom->nlocal);
  phases_.resize(2 * reflections_.size() * n_atoms);
  for (std::size_t k = 0; k < reflections_.size(); ++k) {
    double* const real = &phases_[2 * k * n_atoms];
    double* const imaginary = real + n_atoms;
    std::fill_n(real, n_atoms, 1.0);
    std::fill_n(imaginary, n_atoms, 0.0);
    for (int edge = 0; edge < 3; ++edge)
      if (reflections_[k].wave[edge] >= 0) {
        const auto& wave = waves_[reflections_[k].wave[edge]];
        multiply(real, imaginary, wave.real.data(), wave.imaginary.data(), reflections_[k].conjugate[edge],
                 n_atoms);
      }
    sums_of_this_rank_[2 * k] = sum(real, n_atoms);
    sums_of_this_rank_[2 * k + 1] = sum(imaginary, n_atoms);
  }
}

double StructureFactor::compute() {
  if (domain->triclinic)
    require_unflipped_box();
  compute_waves();
  compute_phases();
  MPI_Allreduce(sums_of_this_rank_.data(), sums_.data(), static_cast<int>(sums_.size()), MPI_DOUBLE, MPI_SUM,
                world);
  double total = 0.0;
  for (const double part : sums_)
    total += part * part;
  const auto n = static_cast<double>(atom->natoms);
  return total / (static_cast<double>(reflections_.size()) * n * n);
}

std::array<double, 6> StructureFactor::add_forces(double slope) {
  const auto n_atoms = static_cast<std::size_t>(atom->nlocal);
  const double* const h = domain->h_inv;
  const auto n = static_cast<double>(atom->natoms);
  const double scale = -slope * 2.0 / (static_cast<double>(reflections_.size()) * n * n);
  for (std::size_t k = 0; k < reflections_.size() && n_atoms > 0; ++k) {
    const auto& m = reflections_[k].n;
    const double two_pi = 2.0 * std::numbers::pi;
    const std::array<double, 3> wave_vector{two_pi * m[0] * h[0], two_pi * (m[1] * h[1] + m[0] * h[5]),
                                            two_pi * (m[2] * h[2] + m[1] * h[3] + m[0] * h[4])};
    const double* const real = &phases_[2 * k * n_atoms];
    add_along(wave_vector, scale * sums_[2 * k + 1], -scale * sums_[2 * k], real, real + n_atoms, n_atoms,
              atom->f[0]);
  }
  return {};
}

std::vector<Triplet> read_triplets(unnp::momt::Words& words, std::int64_t n) {
  if (n > most_triplets)
    throw unnp::Error("the keyword '" + words.named() + "' does not take as many triplets as " +
                      std::to_string(n) + ".");
  std::vector<Triplet> triplets(static_cast<std::size_t>(n));
  for (auto& triplet : triplets) {
    for (auto& number : triplet)
      number = words.small_count(-largest);
    if (triplet == Triplet{0, 0, 0})
      throw unnp::Error(words.named() + ": the triplet 0 0 0 is the same for every structure; leave it out.");
  }
  return triplets;
}

Triplet read_cells(unnp::momt::Words& words) {
  const auto cells = read_triplets(words, 1).front();
  if (std::ranges::any_of(cells, [](int n) { return n < 1; }))
    throw unnp::Error(words.named() + " takes the numbers of conventional cells along the edges, from 1.");
  return cells;
}

/// One of each pair +-k of the star {111}.
std::vector<Triplet> read_fcc(unnp::momt::Words& words) {
  const auto [x, y, z] = read_cells(words);
  return {{x, y, z}, {x, y, -z}, {x, -y, z}, {-x, y, z}};
}

/// The same of {110}.
std::vector<Triplet> read_bcc(unnp::momt::Words& words) {
  const auto [x, y, z] = read_cells(words);
  return {{x, y, 0}, {x, -y, 0}, {x, 0, z}, {x, 0, -z}, {0, y, z}, {0, y, -z}};
}

std::vector<Triplet> read_list(unnp::momt::Words& words) {
  const auto n = words.count(1);
  return read_triplets(words, n);
}

struct Star {
  const char* name;
  std::vector<Triplet> (*read)(unnp::momt::Words&);
};

constexpr Star stars[] = {{"fcc", read_fcc}, {"bcc", read_bcc}, {"list", read_list}};

/// sk fcc|bcc NX NY NZ (conventional cells along the edges of the box), or sk list K n1 n2 n3 ...
std::vector<Triplet> read_star(unnp::momt::Words& words) {
  const auto order = words.named();
  const auto name = words.kind();
  std::vector<std::string> names;
  for (const auto& star : stars) {
    if (name == star.name)
      return star.read(words);
    names.emplace_back(star.name);
  }
  throw unnp::Error(order + " takes " + unnp::join(names) + ", not '" + name + "'." +
                    unnp::did_you_mean(name, names));
}

const OrderStyle sk("sk", read_structure_factor);

} // namespace

MakeOrder read_structure_factor(unnp::momt::Words& words) {
  return [triplets = read_star(words)](LAMMPS_NS::LAMMPS* lmp) {
    return std::make_unique<StructureFactor>(lmp, triplets);
  };
}

} // namespace unnp_lammps::momt
