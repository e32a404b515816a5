// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "unnp/manifest.h"
#include "unnp/potential.h"

#include <mpi.h>

#include <string>
#include <vector>

namespace unnp_lammps {

/// What the start of a run tells about the model.
struct Greeting {
  std::string file;
  std::vector<std::string> symbols; ///< of the LAMMPS types
  std::string head;
  std::string halo;
  std::string dtype;
  std::string devices;
  std::string last_layer; ///< file; empty: none
};

std::string greeting(const unnp::Manifest& manifest, const Greeting& run);

/// Where the time went, mean and maximum over ranks; text on rank 0. Collective.
std::string timing_report(MPI_Comm world, double edges, const unnp::Timings& timings);

} // namespace unnp_lammps
