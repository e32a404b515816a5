// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <mpi.h>

#include <string>
#include <string_view>

namespace unnp_lammps::momt {

/// The file with what a bias has learnt. It is written beside its place and renamed: a killed run leaves the
/// old state or the new one.
class StateFile {
public:
  explicit StateFile(std::string name) : name_(std::move(name)), beside_(name_ + ".new") {}

  /// Throws unnp::Error where it could not be written.
  void check() const;
  void write(std::string_view text) const;

private:
  std::string name_, beside_;
};

/// The content of a state file on all ranks; throws unnp::Error on all of them. Collective.
std::string read_state_file(MPI_Comm world, const std::string& name);

} // namespace unnp_lammps::momt
