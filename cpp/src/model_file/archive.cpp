#include "archive.h"

#include "bytes.h"
#include "checksums.h"
#include "inflate.h"
#include "unnp/error.h"
#include "unnp/text.h"

#include <algorithm>

namespace unnp {

namespace {

constexpr std::string_view local_mark{"PK\3\4", 4}, central_mark{"PK\1\2", 4}, end_mark{"PK\5\6", 4},
    descriptor_mark{"PK\7\10", 4}, end64_mark{"PK\6\6", 4}, locator_mark{"PK\6\7", 4};
constexpr std::size_t end_size = 22, locator_size = 20, end64_size = 56;
constexpr std::uint16_t stored = 0, deflated = 8;
constexpr std::uint16_t has_descriptor = 0x0008, utf8_names = 0x0800;
constexpr std::size_t max_records = 20000, max_name = 300;
constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20, max_deflated = 64 * mebibyte;
constexpr auto do_not_use = ", which no export writes. Do not use this file.";

[[noreturn]] void not_torchscript() {
  throw Error("is not a TorchScript file, or it is truncated or has bytes appended.");
}

[[noreturn]] void damaged(const std::string& what) {
  throw Error("cannot be read, it is damaged or cut short (" + what + "). Export or copy it again.");
}

bool is_odd(std::string_view name) {
  const auto is_bad = [](char c) { return c <= ' ' || c > '~' || c == '\\' || c == ':'; };
  if (name.empty() || name.size() > max_name || name.front() == '/' || name.back() == '/' ||
      std::ranges::any_of(name, is_bad) || name.find("//") != std::string_view::npos)
    return true;
  const auto padded = "/" + std::string(name) + "/";
  return padded.find("/../") != std::string::npos || padded.find("/./") != std::string::npos;
}

/// Padding that torch writes so that tensors start at multiples of 64 bytes, or nothing.
bool is_padding(std::string_view extra) {
  if (extra.empty())
    return true;
  Bytes bytes(extra, 0);
  if (extra.size() < 4 || bytes.take(2) != "FB" || bytes.number<std::uint16_t>() != extra.size() - 4)
    return false;
  return std::ranges::all_of(extra.substr(4), [](char c) { return c == 'Z'; });
}

} // namespace

struct Archive::Directory {
  std::uint64_t count, size, start;
  bool operator==(const Directory&) const = default;
};

struct Archive::Entry {
  std::uint16_t version, flags, method;
  std::uint32_t moment, crc, packed, size, start;
  std::string_view name;
};

Archive::Archive(std::string_view content) : content_(content) {
  if (!content_.starts_with(local_mark))
    not_torchscript();
  try {
    auto entries = read_directory();
    check_sizes(entries);
    std::ranges::sort(entries, {}, &Entry::start);
    std::size_t at = 0;
    for (const auto& entry : entries)
      add(entry, packed(entry, at));
    if (at != find_directory().start)
      damaged("there are bytes that belong to no record");
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.ends_with('.'))
      throw;
    damaged(what);
  }
}

Archive::Directory Archive::find_directory() const {
  if (content_.size() < end_size || !content_.substr(content_.size() - end_size).starts_with(end_mark))
    not_torchscript();
  Bytes end(content_, content_.size() - end_size + 4);
  const auto disks = end.number<std::uint32_t>();
  const auto here = end.number<std::uint16_t>(), all = end.number<std::uint16_t>();
  const auto size = end.number<std::uint32_t>(), start = end.number<std::uint32_t>();
  if (disks != 0 || here != all || end.number<std::uint16_t>() != 0)
    damaged("the end of the archive");
  const Directory found{here, size, start};
  auto behind = content_.size() - end_size;
  const auto tail = locator_size + end64_size;
  if (behind >= tail && content_.substr(behind - locator_size).starts_with(locator_mark)) {
    Bytes locator(content_, behind - locator_size + 4);
    behind -= tail;
    Bytes end64(content_, behind);
    if (locator.number<std::uint32_t>() != 0 || locator.number<std::uint64_t>() != behind ||
        locator.number<std::uint32_t>() != 1 || end64.take(4) != end64_mark ||
        end64.number<std::uint64_t>() != end64_size - 12)
      damaged("the end of the archive");
    end64.take(4);
    if (end64.number<std::uint64_t>() != 0 || end64.number<std::uint64_t>() != here)
      damaged("the end of the archive");
    const auto count64 = end64.number<std::uint64_t>(), size64 = end64.number<std::uint64_t>();
    if (found != Directory{count64, size64, end64.number<std::uint64_t>()})
      damaged("the end of the archive");
  }
  if (found.count == 0 || found.count > max_records || found.start + found.size != behind)
    damaged("the table of contents");
  return found;
}

std::deque<Archive::Entry> Archive::read_directory() const {
  const auto directory = find_directory();
  Bytes bytes(content_.substr(0, directory.start + directory.size), directory.start);
  std::deque<Entry> entries;
  for (std::uint64_t k = 0; k < directory.count; ++k) {
    if (bytes.take(4) != central_mark)
      damaged("the table of contents");
    Entry entry{};
    bytes.take(2);
    entry.version = bytes.number<std::uint16_t>();
    entry.flags = bytes.number<std::uint16_t>();
    entry.method = bytes.number<std::uint16_t>();
    entry.moment = bytes.number<std::uint32_t>();
    entry.crc = bytes.number<std::uint32_t>();
    entry.packed = bytes.number<std::uint32_t>();
    entry.size = bytes.number<std::uint32_t>();
    const auto name = bytes.number<std::uint16_t>(), extra = bytes.number<std::uint16_t>(),
               comment = bytes.number<std::uint16_t>(), disk = bytes.number<std::uint16_t>();
    bytes.take(6);
    entry.start = bytes.number<std::uint32_t>();
    entry.name = bytes.take(name);
    if (extra != 0 || comment != 0 || disk != 0)
      damaged("the table of contents says more than an export does");
    entries.push_back(entry);
  }
  if (!bytes.done())
    damaged("the table of contents");
  return entries;
}

/// Refuses names and contents that no export writes, before anything is unpacked.
void Archive::check_sizes(const std::deque<Entry>& entries) const {
  std::uint64_t unpacked = 0, inflated = 0;
  for (const auto& entry : entries) {
    if (is_odd(entry.name))
      throw Error("holds an entry named '" + printable(entry.name) + "'" + do_not_use);
    if ((entry.method != stored && entry.method != deflated) ||
        (entry.flags & ~(has_descriptor | utf8_names)) != 0)
      throw Error("holds a record '" + printable(entry.name) + "' that is encrypted or packed in a way" +
                  do_not_use);
    unpacked += entry.size;
    inflated += entry.method == deflated ? entry.size : 0;
  }
  // Tensors are stored as they are; only the code and debug tables are compressed, by at most 1:1000.
  if (unpacked > 20 * content_.size() + 16 * mebibyte || inflated > max_deflated)
    throw Error("unpacks to " + std::to_string(std::max(unpacked, inflated) / mebibyte) +
                " MiB, more than a model can. Do not use this file.");
}

std::string_view Archive::packed(const Entry& entry, std::size_t& at) const {
  Bytes bytes(content_, at);
  const auto differs = [&] { damaged("the two headers of " + printable(entry.name) + " differ"); };
  if (entry.start != at || bytes.take(4) != local_mark)
    differs();
  const bool described = (entry.flags & has_descriptor) != 0;
  if (bytes.number<std::uint16_t>() != entry.version || bytes.number<std::uint16_t>() != entry.flags ||
      bytes.number<std::uint16_t>() != entry.method || bytes.number<std::uint32_t>() != entry.moment ||
      bytes.number<std::uint32_t>() != (described ? 0 : entry.crc) ||
      bytes.number<std::uint32_t>() != (described ? 0 : entry.packed) ||
      bytes.number<std::uint32_t>() != (described ? 0 : entry.size))
    differs();
  const auto name = bytes.number<std::uint16_t>(), extra = bytes.number<std::uint16_t>();
  if (bytes.take(name) != entry.name || !is_padding(bytes.take(extra)))
    differs();
  const auto packed = bytes.take(entry.packed);
  if (described &&
      (bytes.take(4) != descriptor_mark || bytes.number<std::uint32_t>() != entry.crc ||
       bytes.number<std::uint32_t>() != entry.packed || bytes.number<std::uint32_t>() != entry.size))
    differs();
  at = bytes.at();
  return packed;
}

void Archive::add(const Entry& entry, std::string_view packed) {
  const auto slash = entry.name.find('/');
  if (slash == std::string_view::npos || slash == 0 || (!top_.empty() && entry.name.substr(0, slash) != top_))
    throw Error("is not a TorchScript file: not all of its records are in one folder.");
  top_ = entry.name.substr(0, slash);
  auto content = packed;
  if (entry.method == deflated)
    content = unpacked_.emplace_back(inflate(packed, entry.size));
  if (content.size() != entry.size || crc32(content) != entry.crc)
    damaged("checksum of " + printable(entry.name));
  if (!records_.emplace(entry.name.substr(slash + 1), Record{content, entry.crc}).second)
    throw Error("holds two records named '" + printable(entry.name) + "'" + do_not_use);
}

} // namespace unnp
