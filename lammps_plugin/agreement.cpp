// SPDX-License-Identifier: GPL-2.0-only
#include "agreement.h"

#include <new>
#include <stdexcept>

namespace unnp_lammps {

std::string message_of(const std::exception& problem) {
  if (dynamic_cast<const std::bad_alloc*>(&problem) || dynamic_cast<const std::length_error*>(&problem))
    return "there is not enough memory; use fewer atoms for each rank, that is more ranks or nodes.";
  const std::string message = problem.what();
  return message.empty() ? "unknown error" : message;
}

std::string agree(MPI_Comm world, const std::function<void()>& action) {
  std::string message;
  try {
    action();
  } catch (const std::exception& error) {
    message = message_of(error);
  }
  int rank = 0, n_ranks = 1;
  MPI_Comm_rank(world, &rank);
  MPI_Comm_size(world, &n_ranks);
  int failed = message.empty() ? n_ranks : rank;
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MIN, world);
  if (failed == n_ranks)
    return "";
  int length = static_cast<int>(message.size());
  MPI_Bcast(&length, 1, MPI_INT, failed, world);
  message.resize(static_cast<std::size_t>(length));
  MPI_Bcast(message.data(), length, MPI_CHAR, failed, world);
  return message;
}

} // namespace unnp_lammps
