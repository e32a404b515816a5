// What the kernels rely on, as they read and write plain memory.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <initializer_list>

namespace unnp::ops {

// (2, n_bonds) int64, every index one of `n_atoms` rows.
void check_bonds(const char* op, const torch::Tensor& index, std::int64_t n_atoms);

// A tensor of floats of the type of `like`, with this shape; -1 for any size.
void check_shape(const char* op, const char* name, const torch::Tensor& x, const torch::Tensor& like,
                 std::initializer_list<std::int64_t> shape);

} // namespace unnp::ops
