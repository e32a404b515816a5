#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace unnp {

/// CRC-32 of a ZIP archive.
std::uint32_t crc32(std::string_view content);

/// SHA-256 (FIPS 180-4) in 64 hexadecimal digits.
std::string sha256(std::string_view content);

} // namespace unnp
