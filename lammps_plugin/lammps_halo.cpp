// SPDX-License-Identifier: GPL-2.0-only
#include "lammps_halo.h"

#include "unnp/error.h"

#include "comm.h"
#include "lammps.h"
#include "pair.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace unnp_lammps {

namespace {

template <typename Real>
void add_row(std::byte* to, const double* from, std::int64_t width) {
  auto* const sum = reinterpret_cast<Real*>(to);
  const auto* const addend = reinterpret_cast<const Real*>(from);
  for (std::int64_t k = 0; k < width; ++k)
    sum[k] += addend[k];
}

} // namespace

LammpsHalo::LammpsHalo(LAMMPS_NS::LAMMPS& lammps, LAMMPS_NS::Pair* pair, const RowMap& rows)
    : lammps_(lammps), pair_(pair), map_(rows) {}

void LammpsHalo::start(std::byte* rows, unnp::RowFormat format) {
  const int most = std::min(pair_->comm_forward, pair_->comm_reverse);
  if (format.width < 0 || format.width > 2 * most || doubles(format) > most) // on all ranks alike: one model
    throw unnp::Error("the model exchanges " + std::to_string(format.width) +
                      " numbers per atom, more than its manifest says. Export it again.");
  rows_ = rows;
  format_ = format;
  bytes_ = format.bytes();
  doubles_ = doubles(format);
  spill_.assign(static_cast<std::size_t>(map_.n_spill) * bytes_, std::byte{0});
}

std::byte* LammpsHalo::row(int atom) {
  const int row = map_.row_of[static_cast<std::size_t>(atom)];
  return row >= 0 ? rows_ + static_cast<std::size_t>(row) * bytes_
                  : spill_.data() + static_cast<std::size_t>(-1 - row) * bytes_;
}

void LammpsHalo::fetch(std::byte* rows, unnp::RowFormat format) {
  start(rows, format);
  lammps_.comm->forward_comm(pair_, doubles_);
}

void LammpsHalo::add(std::byte* rows, unnp::RowFormat format) {
  start(rows, format);
  lammps_.comm->reverse_comm(pair_, doubles_);
}

void LammpsHalo::sum_over_ranks(std::byte* values, unnp::RowFormat format) {
  const auto type = format.scalar == unnp::Scalar::float32 ? MPI_FLOAT : MPI_DOUBLE;
  MPI_Allreduce(MPI_IN_PLACE, values, static_cast<int>(format.width), type, MPI_SUM, lammps_.world);
}

int LammpsHalo::pack_forward(int n, const int* list, double* buffer) {
  for (int k = 0; k < n; ++k)
    std::memcpy(buffer + k * static_cast<std::size_t>(doubles_), row(list[k]), bytes_);
  return n * doubles_;
}

void LammpsHalo::unpack_forward(int n, int first, const double* buffer) {
  for (int k = 0; k < n; ++k)
    std::memcpy(row(first + k), buffer + k * static_cast<std::size_t>(doubles_), bytes_);
}

int LammpsHalo::pack_reverse(int n, int first, double* buffer) {
  for (int k = 0; k < n; ++k)
    std::memcpy(buffer + k * static_cast<std::size_t>(doubles_), row(first + k), bytes_);
  return n * doubles_;
}

void LammpsHalo::unpack_reverse(int n, const int* list, const double* buffer) {
  for (int k = 0; k < n; ++k) {
    const auto* const from = buffer + k * static_cast<std::size_t>(doubles_);
    if (format_.scalar == unnp::Scalar::float32)
      add_row<float>(row(list[k]), from, format_.width);
    else
      add_row<double>(row(list[k]), from, format_.width);
  }
}

} // namespace unnp_lammps
