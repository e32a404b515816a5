#pragma once

#include "pickle.h"
#include "pickle_value.h"

#include <cstdint>
#include <string_view>

namespace unnp {

/// Bytes per number of a storage such as FloatStorage, 0 for others.
std::int64_t bytes_per_number(std::string_view storage);

/// The array that a persistent id ("storage", type, key, device, number of numbers) names; throws Error.
StoredArray read_array(const PickleValues& values, const PickleValue& id);

/// Throws Error where the arguments (array, offset, sizes, strides, ...) of a tensor reach beyond its array.
void check_tensor(const PickleValues& values, const PickleValue& arguments);

} // namespace unnp
