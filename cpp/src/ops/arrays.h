// What a kernel reads and writes: plain rows of numbers.
#pragma once

#include <cstdint>

namespace unnp::ops {

// Rows to read; a null tangent means constant.
template <typename T>
struct In {
  const T* value = nullptr;
  const T* tangent = nullptr;
};

// Rows to write.
template <typename T>
struct Out {
  T* p = nullptr;
};

// A range of bonds and their two atoms.
struct Range {
  const std::int64_t *i, *j;
  std::int64_t begin, end;
};

} // namespace unnp::ops
