// SPDX-License-Identifier: GPL-2.0-only
#include "closeness.h"

#include "fmt/format.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace unnp_lammps {

namespace {

// A structure of the training data itself, read from a file with three decimals, is not closer than the data.
constexpr double rounding = 1e-3;

} // namespace

void Closeness::watch(const unnp::Manifest& manifest) {
  elements_ = manifest.elements;
  n_species_ = static_cast<std::int64_t>(elements_.size());
  limit_squared_.clear();
  for (const auto& a : elements_)
    for (const auto& b : elements_) {
      double limit = 0.0;
      for (const auto& pair : {a + "-" + b, b + "-" + a})
        if (const auto seen = manifest.shortest_distances.find(pair);
            seen != manifest.shortest_distances.end())
          limit = (1.0 - rounding) * seen->second;
      limit_squared_.push_back(limit * limit);
    }
  reach_squared_ = std::ranges::max(limit_squared_);
  forget();
}

std::string Closeness::closest(MPI_Comm world) const {
  struct {
    double worst;
    int rank;
  } least{worst_, 0};
  MPI_Comm_rank(world, &least.rank);
  MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_DOUBLE_INT, MPI_MINLOC, world);
  std::array<std::int64_t, 2> pair = {first_, second_};
  MPI_Bcast(pair.data(), 2, MPI_INT64_T, least.rank, world);
  const double limit = std::sqrt(limit_squared_[static_cast<std::size_t>(pair[0] * n_species_ + pair[1])]);
  return fmt::format("{}-{} {:.3f} A, in the training data of this model {:.3f} A",
                     elements_[static_cast<std::size_t>(pair[0])],
                     elements_[static_cast<std::size_t>(pair[1])], std::sqrt(least.worst) * limit,
                     limit / (1.0 - rounding));
}

} // namespace unnp_lammps
