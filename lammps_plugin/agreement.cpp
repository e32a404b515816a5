// SPDX-License-Identifier: GPL-2.0-only
#include "agreement.h"

#include <algorithm>
#include <exception>

namespace unnp_lammps {

std::string agree(MPI_Comm world, const std::function<void()>& action) {
  std::string message;
  try {
    action();
  } catch (const std::exception& error) {
    message = error.what();
    if (message.empty())
      message = "unknown error";
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
