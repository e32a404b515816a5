#pragma once

#include <set>
#include <string>
#include <string_view>

namespace unnp {

/// What is known of an exported file without running any of its code.
struct ModelFile {
  std::string content;           ///< all its bytes: what was checked is what is given to torch
  std::string manifest;          ///< text of unnp.json
  std::set<std::string> members; ///< names of methods and attributes in its code
  bool uses_operators = false;   ///< of unnp
};

/// Reads a file and checks all of it: archive, checksums, records, pickles, code. Throws Error that begins
/// with `source`, which names the file.
ModelFile read_model_file(const std::string& path, const std::string& source);

/// As read_model_file, of the bytes of a file.
ModelFile check_model_file(std::string content, const std::string& source);

/// The checksum that an export writes into the manifest: SHA-256 over the names, sizes and CRC-32 of all
/// other records and over the manifest, in which the checksum itself is zeros.
std::string checksum_of(std::string_view content);

} // namespace unnp
