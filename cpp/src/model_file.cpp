#include "model_file.h"

#include "unnp/error.h"

#include <caffe2/serialize/inline_container.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace unnp {

namespace {

constexpr auto advice = " Give the path of a file written by `unnp export`.";

void check_readable(const std::string& path) {
  if (std::filesystem::is_directory(path))
    throw Error("'" + path + "' is a folder, not a model file." + advice);
  const std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error("cannot open the model file '" + path + "': " + std::strerror(errno) + "." + advice);
}

} // namespace

Manifest read_manifest(const std::string& path) {
  check_readable(path);
  std::unique_ptr<caffe2::serialize::PyTorchStreamReader> reader;
  try {
    reader = std::make_unique<caffe2::serialize::PyTorchStreamReader>(path);
  } catch (const std::exception&) {
    throw Error("'" + path + "' is not a TorchScript file, or it is truncated." + advice);
  }
  const auto records = reader->getAllRecords();
  const auto is_code = [](const std::string& name) { return name.starts_with("code/"); };
  if (std::ranges::none_of(records, is_code))
    throw Error("'" + path +
                "' is not a TorchScript file but another archive, perhaps weights saved by torch.save." +
                advice);
  const auto record = "extra/" + std::string(manifest_name);
  if (!reader->hasRecord(record))
    throw Error("'" + path + "' is a TorchScript file but has no manifest " + std::string(manifest_name) +
                ": it was not written by unnp." + advice);
  const auto [data, size] = reader->getRecord(record);
  return parse_manifest({static_cast<const char*>(data.get()), size}, path);
}

} // namespace unnp
