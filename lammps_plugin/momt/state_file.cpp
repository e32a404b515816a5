// SPDX-License-Identifier: GPL-2.0-only
#include "state_file.h"

#include "agreement.h"

#include "unnp/error.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace unnp_lammps::momt {

namespace {

std::string content(const std::string& name) {
  std::stringstream text;
  std::error_code problem;
  const bool is_file = std::filesystem::is_regular_file(name, problem); // others may never end
  std::ifstream file;
  if (is_file)
    file.open(name);
  text << file.rdbuf();
  if (!is_file || !file || text.str().empty())
    throw unnp::Error("cannot read the state file '" + name +
                      "'; `start` takes one that `state` has written.");
  return text.str();
}

} // namespace

void StateFile::check() const {
  if (!std::ofstream(beside_, std::ios::app))
    throw unnp::Error("cannot write the state '" + name_ + "'; does its folder exist?");
  std::remove(beside_.c_str());
}

void StateFile::write(std::string_view text) const {
  std::ofstream file(beside_, std::ios::trunc);
  file << text << '\n';
  file.close();
  if (file && std::rename(beside_.c_str(), name_.c_str()) == 0)
    return;
  std::remove(beside_.c_str());
  throw unnp::Error("cannot write the state file " + name_);
}

std::string read_state_file(MPI_Comm world, const std::string& name) {
  int rank = 0;
  MPI_Comm_rank(world, &rank);
  std::string text;
  const auto problem = agree(world, [&] {
    if (rank == 0)
      text = content(name);
  });
  if (!problem.empty())
    throw unnp::Error(problem);
  auto length = static_cast<int>(text.size());
  MPI_Bcast(&length, 1, MPI_INT, 0, world);
  text.resize(static_cast<std::size_t>(length));
  MPI_Bcast(text.data(), length, MPI_CHAR, 0, world);
  return text;
}

} // namespace unnp_lammps::momt
