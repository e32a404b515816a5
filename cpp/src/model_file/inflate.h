#pragma once

#include <string>
#include <string_view>

namespace unnp {

/// Unpacks what "deflate" (RFC 1951) packed; throws Error where it is not exactly `size` bytes long.
std::string inflate(std::string_view packed, std::size_t size);

} // namespace unnp
