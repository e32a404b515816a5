#pragma once

#include "bytes.h"
#include "pickle.h"

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

/// Bytes per number of a storage such as FloatStorage, 0 for others.
std::int64_t bytes_per_number(std::string_view storage);

/// The array that a persistent id ("storage", type, key, device, number of numbers) names; throws Error.
StoredArray read_array(const PickleValues& values, const PickleValue& id);

/// Throws Error where the arguments (array, offset, sizes, strides, ...) of a tensor reach beyond its array.
void check_tensor(const PickleValues& values, const PickleValue& arguments);

} // namespace unnp
