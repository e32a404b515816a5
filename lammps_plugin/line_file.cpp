// SPDX-License-Identifier: GPL-2.0-only
#include "line_file.h"

#include "unnp/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace unnp_lammps {

LineFile::LineFile(std::string what, std::string path, bool appends)
    : what_(std::move(what)), path_(std::move(path)) {
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (appends ? 0 : O_TRUNC), 0666);
  if (descriptor_ < 0)
    throw unnp::Error("cannot write " + what_ + " '" + path_ + "': " + std::strerror(errno) +
                      "; does its folder exist?");
  const auto size = lseek(descriptor_, 0, SEEK_END);
  last_ = end_ = size < 0 ? 0 : size; // a pipe or a terminal has no size
}

LineFile::~LineFile() {
  close(descriptor_);
}

void LineFile::add(std::string_view text) {
  write_at(end_, text);
}

void LineFile::replace_last(std::string_view text) {
  write_at(last_, text);
}

void LineFile::write_at(long long position, std::string_view text) {
  const bool seeks = lseek(descriptor_, position, SEEK_SET) >= 0;
  for (std::size_t done = 0; done < text.size();) {
    const auto n = write(descriptor_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      const std::string reason = n < 0 ? std::strerror(errno) : "nothing was written";
      if (seeks)
        (void)!ftruncate(descriptor_, position);
      throw unnp::Error("cannot write " + what_ + " '" + path_ + "': " + reason + ".");
    }
    done += static_cast<std::size_t>(n);
  }
  last_ = position;
  end_ = position + static_cast<long long>(text.size());
  if (seeks)
    (void)!ftruncate(descriptor_, end_);
}

} // namespace unnp_lammps
