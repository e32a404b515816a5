// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <mpi.h>

#include <exception>
#include <functional>
#include <string>

namespace unnp_lammps {

/// What went wrong, in words: those of an Error are its own, those of the standard library name the memory.
std::string message_of(const std::exception& problem);

/// Runs `action` on every rank and returns the same text on all of them: the error of the lowest rank on
/// which it threw, or nothing. What may fail on one rank only has to go through here before ranks
/// communicate.
std::string agree(MPI_Comm world, const std::function<void()>& action);

} // namespace unnp_lammps
