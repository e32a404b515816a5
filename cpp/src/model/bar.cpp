#include "bar.h"

#include <cmath>

namespace unnp {

namespace {

constexpr double neighbours_within_cutoff = 2.2; // along an edge of the bar
constexpr double disorder = 0.05;                // of the distance between neighbours

double distance(const std::array<double, 3>& a, const std::array<double, 3>& b) {
  return std::hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]);
}

} // namespace

Bar::Bar(double cutoff, double reach, std::int64_t n_species) : cutoff_(cutoff) {
  const double spacing = cutoff / neighbours_within_cutoff;
  constexpr std::array<int, 3> across = {0, 1, -1}; // the middle first
  for (int x = 0; x * spacing <= reach + cutoff; ++x)
    for (const int y : across)
      for (const int z : across) {
        const auto k = static_cast<double>(positions_.size());
        positions_.push_back({spacing * (x + disorder * std::sin(k)),
                              spacing * (y + disorder * std::sin(2 * k)),
                              spacing * (z + disorder * std::sin(3 * k))});
        species_.push_back(static_cast<std::int64_t>(positions_.size() - 1) % n_species);
      }
  find_bonds();
}

Bar Bar::within(double reach) const {
  Bar bar;
  bar.cutoff_ = cutoff_;
  for (std::size_t k = 0; k < positions_.size(); ++k)
    if (distance(positions_[0], positions_[k]) <= reach) {
      bar.positions_.push_back(positions_[k]);
      bar.species_.push_back(species_[k]);
    }
  bar.find_bonds();
  return bar;
}

void Bar::find_bonds() {
  std::vector<std::int64_t> second;
  for (std::size_t i = 0; i < positions_.size(); ++i)
    for (std::size_t j = i + 1; j < positions_.size(); ++j)
      if (distance(positions_[i], positions_[j]) < cutoff_) {
        bond_index_.push_back(static_cast<std::int64_t>(i));
        second.push_back(static_cast<std::int64_t>(j));
        for (std::size_t a = 0; a < 3; ++a)
          bond_vector_.push_back(positions_[j][a] - positions_[i][a]);
      }
  bond_index_.insert(bond_index_.end(), second.begin(), second.end());
}

System Bar::system() const {
  System system;
  system.n_owned = system.n_updated = size();
  system.species = species_;
  system.bond_index = bond_index_;
  system.bond_vector = bond_vector_;
  return system;
}

} // namespace unnp
