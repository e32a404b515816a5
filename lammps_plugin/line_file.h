// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <string_view>

namespace unnp_lammps {

/// A text file that grows line by line, each on the disk as a whole or not at all.
class LineFile {
public:
  /// `what` names the file in messages, as in "the log". Begins anew unless `appends`. Throws unnp::Error.
  LineFile(std::string what, std::string path, bool appends);
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  ~LineFile();

  bool empty() const { return end_ == 0; }

  /// Throws unnp::Error where the disk is full, and leaves the lines before.
  void add(std::string_view text);
  /// The same in place of what was added last.
  void replace_last(std::string_view text);

private:
  void write_at(long long position, std::string_view text);

  std::string what_, path_;
  int descriptor_ = -1;
  long long last_ = 0, end_ = 0; // where the last addition begins and ends
};

} // namespace unnp_lammps
