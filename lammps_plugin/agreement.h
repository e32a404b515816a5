// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <mpi.h>

#include <functional>
#include <string>

namespace unnp_lammps {

/// Runs `action` on every rank and returns the same text on all of them: the error of the lowest rank on
/// which it threw, or nothing. What may fail on one rank only has to go through here before ranks
/// communicate.
std::string agree(MPI_Comm world, const std::function<void()>& action);

} // namespace unnp_lammps
