// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <mpi.h>

#include <string>

namespace unnp_lammps {

/// The device of this rank: cpu or cuda:N. GPUs of a node are dealt to its ranks in turn. Throws unnp::Error
/// where a GPU is asked for and there is none. Collective.
std::string choose_device(MPI_Comm world, const std::string& asked);

/// "cpu" or "cuda:0 (ranks 0 2), cuda:1 (ranks 1 3)" on rank 0. Collective.
std::string describe_devices(MPI_Comm world, const std::string& device);

} // namespace unnp_lammps
