// Running a kernel over all bonds on the threads of torch, with sums over the bonds of an atom free of races.
#pragma once

#include "arrays.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace unnp::ops {

inline Range bonds_of(const torch::Tensor& index) {
  const auto* p = index.const_data_ptr<std::int64_t>();
  return {p, p + index.size(1), 0, index.size(1)};
}

// Calls kernel(range, rows) on chunks of the bonds; each chunk adds to its own copies `rows` of the zeroed
// tensors `sums`.
inline void over_bonds(const torch::Tensor& index, const std::vector<torch::Tensor>& sums,
                       const std::function<void(const Range&, const std::vector<torch::Tensor>&)>& kernel) {
  constexpr std::int64_t worth_a_thread = 1024;
  const Range all = bonds_of(index);
  const std::int64_t chunks = std::clamp<std::int64_t>(all.end / worth_a_thread, 1, at::get_num_threads());
  if (chunks == 1)
    return kernel(all, sums);
  std::vector<std::vector<torch::Tensor>> copies(static_cast<std::size_t>(chunks));
  for (auto& copy : copies)
    for (const auto& s : sums)
      copy.push_back(torch::zeros_like(s));
  const std::int64_t size = (all.end + chunks - 1) / chunks;
  at::parallel_for(0, chunks, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t c = first; c < last; ++c)
      kernel({all.i, all.j, c * size, std::min(all.end, (c + 1) * size)},
             copies[static_cast<std::size_t>(c)]);
  });
  for (const auto& copy : copies)
    for (std::size_t k = 0; k < sums.size(); ++k)
      sums[k].add_(copy[k]);
}

// Calls kernel(range) on chunks of n rows that have nothing to do with each other.
inline void over_rows(std::int64_t n, const std::function<void(const Range&)>& kernel) {
  at::parallel_for(0, n, 1024,
                   [&](std::int64_t begin, std::int64_t end) { kernel({nullptr, nullptr, begin, end}); });
}

template <typename T>
const T* read(const torch::Tensor& x) {
  return x.defined() && x.numel() > 0 ? x.const_data_ptr<T>() : nullptr;
}
template <typename T>
T* write(const torch::Tensor& x) {
  return x.numel() > 0 ? x.data_ptr<T>() : nullptr;
}

template <typename T>
In<T> reader(const torch::Tensor& x, const torch::Tensor& tangent = {}) {
  return {read<T>(x), read<T>(tangent)};
}

} // namespace unnp::ops
