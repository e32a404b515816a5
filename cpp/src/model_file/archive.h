#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace unnp {

/// One record of an archive.
struct Record {
  std::string_view content; ///< unpacked
  std::uint32_t crc = 0;
};

/// The ZIP archive of a TorchScript file, checked byte for byte: it holds nothing but records, one behind the
/// other without gaps, whose local and central headers agree and whose CRC-32 are right.
class Archive {
public:
  /// `content` has to outlive the archive. Throws Error, a predicate such as "is not a TorchScript file".
  explicit Archive(std::string_view content);
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  /// By name without the top folder.
  const std::map<std::string, Record, std::less<>>& records() const { return records_; }
  bool has(std::string_view name) const { return records_.contains(name); }
  std::string_view content(std::string_view name) const { return records_.find(name)->second.content; }

private:
  struct Entry;
  struct Directory;

  Directory find_directory() const;
  std::deque<Entry> read_directory() const;
  std::string_view packed(const Entry& entry, std::size_t& at) const;
  void add(const Entry& entry, std::string_view packed);
  void check_sizes(const std::deque<Entry>& entries) const;

  std::string_view content_;
  std::string top_;
  std::map<std::string, Record, std::less<>> records_;
  std::deque<std::string> unpacked_;
};

} // namespace unnp
