// SPDX-License-Identifier: GPL-2.0-only
#include "frame_file.h"

#include "fmt/format.h"
#include "unnp/error.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

namespace unnp_lammps {

namespace {

constexpr std::string_view mark = " unnp_max_force_deviation=", step_mark = " step=";

/// Reads the frames of a file as far as they are whole.
class FrameReader {
public:
  explicit FrameReader(const std::string& path) : stream_(path, std::ios::binary) {}

  /// The step of the next frame, or nothing where the file ends before its end. Throws unnp::Error where
  /// something else is written there.
  std::optional<std::int64_t> next() {
    std::string line;
    std::int64_t n_atoms = 0, step = 0;
    if (!read(line))
      return {};
    require(parse(line, n_atoms));
    if (!read(line))
      return {};
    const auto at = line.find(step_mark);
    require(at != std::string::npos && line.find(mark) != std::string::npos &&
            parse(std::string_view(line).substr(at + step_mark.size()), step));
    for (; n_atoms > 0; --n_atoms)
      if (!read(line))
        return {};
    end_ = position_;
    return step;
  }

  /// Where the last whole frame ends [bytes].
  std::uintmax_t end() const { return end_; }

private:
  bool read(std::string& line) {
    if (!std::getline(stream_, line) || stream_.eof()) // at the end of a line there is more to come
      return false;
    position_ += line.size() + 1;
    return true;
  }

  static bool parse(std::string_view text, std::int64_t& number) {
    return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
  }

  static void require(bool is_ours) {
    if (!is_ours)
      throw unnp::Error("it holds something else than captured frames; name another file.");
  }

  std::ifstream stream_;
  std::uintmax_t position_ = 0, end_ = 0;
};

FramesSoFar keep_frames_before(const std::string& path, std::int64_t step) {
  FramesSoFar kept;
  if (!std::filesystem::is_regular_file(path))
    return kept;
  FrameReader reader(path);
  std::uintmax_t size = 0;
  try {
    for (auto found = reader.next(); found && *found < step; found = reader.next()) {
      kept = {kept.frames + 1, *found};
      size = reader.end();
    }
  } catch (const unnp::Error& problem) {
    throw unnp::Error("cannot write the captured frames '" + path + "': " + problem.what());
  }
  std::error_code ignored; // LineFile says why a file cannot be written
  std::filesystem::resize_file(path, size, ignored);
  return kept;
}

} // namespace

std::string Frame::text(std::span<const std::string> elements) const {
  std::string text = fmt::format("{}\nLattice=\"", atoms.size());
  const auto out = std::back_inserter(text);
  for (int k = 0; k < 9; ++k)
    fmt::format_to(out, "{}{:.12g}", k ? " " : "", cell[k]);
  fmt::format_to(out, "\" Properties=species:S:1:pos:R:3:unnp_force_deviation:R:1 pbc=\"{} {} {}\"",
                 periodic[0] ? "T" : "F", periodic[1] ? "T" : "F", periodic[2] ? "T" : "F");
  fmt::format_to(out, "{}{}{}{:.10g} unnp_max_force={:.10g} unnp_lost_atoms={}\n", step_mark, step, mark,
                 largest_deviation, largest_force, lost_atoms);
  for (const auto& atom : atoms)
    fmt::format_to(out, "{} {:.12g} {:.12g} {:.12g} {:.6g}\n",
                   elements[static_cast<std::size_t>(atom.species)], atom.x, atom.y, atom.z, atom.deviation);
  return text;
}

FrameFile::FrameFile(const std::string& path, std::int64_t step)
    : kept_(keep_frames_before(path, step)), file_("the captured frames", path, true) {}

} // namespace unnp_lammps
