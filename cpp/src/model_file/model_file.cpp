#include "model_file.h"

#include "archive.h"
#include "checksums.h"
#include "records.h"
#include "unnp/error.h"
#include "unnp/manifest.h"
#include "unnp/text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace unnp {

namespace {

constexpr auto advice = " Models are written by `unnp export RUN -o model.pt`.";
constexpr std::int64_t max_file = std::int64_t{1} << 31;
constexpr std::string_view checksum_key = "\"records_checksum\"", checksum_start = ": \"";
constexpr std::size_t checksum_digits = 64;

class File {
public:
  explicit File(const std::string& path) : handle_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (handle_ >= 0)
      ::close(handle_);
  }
  int handle() const { return handle_; }

private:
  int handle_;
};

std::int64_t size_of_regular_file(const struct stat& status) {
  if (S_ISDIR(status.st_mode))
    throw Error("is a folder, not a model file.");
  if (!S_ISREG(status.st_mode))
    throw Error("is a pipe or a device, not a model file.");
  if (status.st_size > max_file)
    throw Error("has more than 2 GiB, more than a model can.");
  return status.st_size;
}

std::string read_file(const std::string& path, const std::string& source) {
  struct stat status{};
  const auto cannot_open = [&] {
    throw Error("cannot open the model file " + source + ": " +
                (errno == ENOENT ? "No such file, it does not exist" : std::strerror(errno)) + "." + advice);
  };
  if (path.find('\0') != std::string::npos || ::stat(path.c_str(), &status) != 0)
    cannot_open();
  size_of_regular_file(status); // before it is opened: opening a device may do something
  const File file(path);
  if (file.handle() < 0 || ::fstat(file.handle(), &status) != 0)
    cannot_open();
  const auto size = static_cast<std::size_t>(size_of_regular_file(status));
  std::string content;
  std::size_t at = 0;
  const auto read = [&](std::size_t upto) {
    content.resize(upto);
    for (ssize_t n = 1; at < upto && n > 0; at += static_cast<std::size_t>(n > 0 ? n : 0)) {
      n = ::read(file.handle(), content.data() + at, upto - at);
      if (n < 0)
        throw Error(std::string("cannot be read: ") + std::strerror(errno) + ".");
    }
    content.resize(at);
  };
  read(std::min<std::size_t>(size, 4));
  if (content == "PK\3\4") // anything else is not worth reading
    read(size);
  return content;
}

/// Where the digits of the checksum stand in a manifest, npos where it has none.
std::size_t find_checksum(std::string_view manifest) {
  const auto key = manifest.find(checksum_key);
  if (key == std::string_view::npos)
    return key;
  const auto value = manifest.substr(key + checksum_key.size());
  if (value.starts_with(": \"\""))
    return std::string_view::npos;
  const auto digits = value.substr(std::min(value.size(), checksum_start.size()), checksum_digits);
  if (!value.starts_with(checksum_start) || digits.size() != checksum_digits ||
      digits.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    throw Error("has a manifest with a checksum that is none. Export or copy it again.");
  return key + checksum_key.size() + checksum_start.size();
}

/// What the checksum is taken of.
std::string summary(const Archive& archive) {
  std::string manifest(archive.content(manifest_record));
  if (const auto at = find_checksum(manifest); at != std::string::npos)
    manifest.replace(at, checksum_digits, checksum_digits, '0');
  std::string text;
  for (const auto& [name, record] : archive.records())
    if (name != manifest_record && name != serialization_record)
      text += name + " " + std::to_string(record.content.size()) + " " + std::to_string(record.crc) + "\n";
  return text + manifest;
}

void check_checksum(const Archive& archive) {
  const auto manifest = archive.content(manifest_record);
  const auto at = find_checksum(manifest);
  if (at != std::string_view::npos && sha256(summary(archive)) != manifest.substr(at, checksum_digits))
    throw Error("was changed or damaged after it was exported (the checksum in its manifest is another). "
                "Export or copy it again.");
}

template <typename Action>
auto with_source(const std::string& source, const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    const std::string what = error.what();
    throw Error(what.starts_with("cannot open") ? what : source + " " + what);
  } catch (const std::bad_alloc&) {
    throw Error(source + " does not fit into the memory of this machine.");
  }
}

ModelFile check(std::string content) {
  ModelFile file;
  file.content = std::move(content);
  const Archive archive(file.content);
  check_kind(archive, advice);
  file.manifest = archive.content(manifest_record);
  const auto code = check_records(archive);
  check_checksum(archive);
  file.members = code.members();
  file.uses_operators = code.uses_operators();
  return file;
}

} // namespace

ModelFile read_model_file(const std::string& path, const std::string& source) {
  return with_source(source, [&] { return check(read_file(path, source)); });
}

ModelFile check_model_file(std::string content, const std::string& source) {
  return with_source(source, [&] { return check(std::move(content)); });
}

std::string checksum_of(std::string_view content) {
  const Archive archive(content);
  check_kind(archive, advice);
  return sha256(summary(archive));
}

} // namespace unnp
