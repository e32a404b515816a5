#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace unnp {

/// A value of a pickle: what kind it is, and what the checks need of it.
struct PickleValue {
  enum class Kind {
    none,
    boolean,
    integer,
    real,
    text,
    global,
    tuple,
    list,
    dictionary,
    object,
    array,
    tensor
  };
  Kind kind = Kind::none;
  std::int64_t number = 0;
  std::string text;
  std::vector<std::size_t> items; ///< indices of values
  int depth = 0;
  bool fixed = false;
  bool has_object = false;
};
using PickleValues = std::vector<PickleValue>;

} // namespace unnp
