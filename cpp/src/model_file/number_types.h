#pragma once

#include <string_view>

namespace unnp {

/// Whether a parameter or buffer is in float64 whatever the network computes in: those whose own name begins
/// with "reference". Energies are summed in float64, and these are the large numbers among them.
bool keeps_float64(std::string_view name);

} // namespace unnp
