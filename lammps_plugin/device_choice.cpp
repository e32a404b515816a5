// SPDX-License-Identifier: GPL-2.0-only
#include "device_choice.h"

#include "unnp/error.h"
#include "unnp/potential.h"

#include <map>
#include <vector>

namespace unnp_lammps {

namespace {

int node_local_rank(MPI_Comm world) {
  MPI_Comm node = MPI_COMM_NULL;
  int rank = 0;
  MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_rank(node, &rank);
  MPI_Comm_free(&node);
  return rank;
}

} // namespace

std::string choose_device(MPI_Comm world, const std::string& asked) {
  const int local_rank = node_local_rank(world);
  if (asked == "cpu" || asked.starts_with("cuda:"))
    return asked;
  const int n_devices = unnp::n_cuda_devices();
  if (n_devices > 0)
    return "cuda:" + std::to_string(local_rank % n_devices);
  if (asked == "cuda")
    throw unnp::Error(
        "device cuda was asked for, but torch sees no GPU. Use device cpu or auto, or install a CUDA build "
        "of torch on a machine with a GPU.");
  return "cpu";
}

std::string describe_devices(MPI_Comm world, const std::string& device) {
  int rank = 0, n_ranks = 1;
  MPI_Comm_rank(world, &rank);
  MPI_Comm_size(world, &n_ranks);
  const int index = device == "cpu" ? -1 : std::stoi(device.substr(5));
  std::vector<int> indices(static_cast<std::size_t>(n_ranks));
  MPI_Gather(&index, 1, MPI_INT, indices.data(), 1, MPI_INT, 0, world);
  if (rank != 0)
    return "";
  std::map<int, std::string> ranks_of;
  for (int r = 0; r < n_ranks; ++r)
    ranks_of[indices[static_cast<std::size_t>(r)]] += " " + std::to_string(r);
  if (ranks_of.size() == 1 && index < 0)
    return "cpu";
  std::string text;
  for (const auto& [gpu, ranks] : ranks_of) {
    if (!text.empty())
      text += ", ";
    text += gpu < 0 ? "cpu" : "cuda:" + std::to_string(gpu);
    text += " (ranks" + ranks + ")";
  }
  return text;
}

} // namespace unnp_lammps
