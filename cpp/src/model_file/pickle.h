#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace unnp {

/// A stored array that a pickle refers to.
struct StoredArray {
  std::string key;          ///< number of the record
  std::int64_t item = 0;    ///< bytes per number
  std::int64_t numbers = 0; ///< in the record
};

/// An object of a class of the archive, with the classes of those attributes that are objects themselves.
struct PickledObject {
  std::string type;
  std::map<std::string, std::string> attributes; ///< by name; "" for one that is no object
};

/// What a pickle of torch holds, as far as it can do harm.
struct PickleContents {
  std::vector<StoredArray> arrays;
  std::set<std::string> classes; ///< of the archive's own code
  std::vector<PickledObject> objects;
};

/// Walks the opcodes that torch's pickler writes, without making any object. Throws Error for others, for
/// what nests deeply, and for tensors that reach beyond their arrays.
PickleContents check_pickle(std::string_view content);

} // namespace unnp
