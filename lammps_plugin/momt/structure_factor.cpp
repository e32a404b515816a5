// SPDX-License-Identifier: GPL-2.0-only
#include "structure_factor.h"

#include "settings.h"
#include "unit_circle.h"

#include "unnp/error.h"

#include "atom.h"
#include "domain.h"
#include "error.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace unnp_lammps::momt {

namespace {

using Triplet = std::array<int, 3>;

std::vector<Triplet> listed(const std::vector<std::string>& words, std::size_t from) {
  std::vector<Triplet> triplets;
  for (std::size_t at = from; at < words.size(); at += 3) {
    Triplet n;
    for (std::size_t d = 0; d < 3; ++d)
      n[d] = static_cast<int>(
          std::clamp<std::int64_t>(parse_count("order", words[at + d], -100'000), -100'000, 100'000));
    if (n == Triplet{0, 0, 0})
      throw unnp::Error("order: the triplet 0 0 0 is the same for every structure; leave it out.");
    triplets.push_back(n);
  }
  return triplets;
}

/// The star of {111} (fcc) or {110} (bcc), one of each pair +-k.
std::vector<Triplet> star(const std::string& kind, const std::string& lattice, const Triplet& cells) {
  if (std::ranges::any_of(cells, [](int n) { return n < 1; }))
    throw unnp::Error("order " + kind + " " + lattice +
                      " takes the numbers of conventional cells along the edges, from 1.");
  const auto [x, y, z] = cells;
  if (lattice == "fcc")
    return {{x, y, z}, {x, y, -z}, {x, -y, z}, {-x, y, z}};
  return {{x, y, 0}, {x, -y, 0}, {x, 0, z}, {x, 0, -z}, {0, y, z}, {0, y, -z}};
}

std::vector<Triplet> triplets_of(const std::vector<std::string>& words) {
  const auto& lattice = words[1];
  if (lattice == "list")
    return listed(words, 3);
  if (lattice != "fcc" && lattice != "bcc")
    throw unnp::Error("order " + words[0] + " takes fcc, bcc or list, not '" + lattice + "'." +
                      unnp::did_you_mean(lattice, {"fcc", "bcc", "list"}));
  return star(words[0], lattice, listed(words, 2).front());
}

} // namespace

StructureFactor::StructureFactor(LAMMPS_NS::LAMMPS* lmp, const std::vector<std::string>& words)
    : OrderParameter(lmp) {
  set_up_waves(triplets_of(words));
}

void StructureFactor::set_up_waves(const std::vector<Triplet>& triplets) {
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

double StructureFactor::compute() {
  if (domain->triclinic)
    require_unflipped_box();
  compute_waves();
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

} // namespace unnp_lammps::momt
