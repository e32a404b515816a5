#include "records.h"

#include "pickle.h"
#include "unnp/error.h"
#include "unnp/text.h"

#include <algorithm>
#include <array>

namespace unnp {

namespace {

constexpr std::size_t max_small = 256, max_manifest = std::size_t{1} << 20, max_pickle = std::size_t{1} << 24,
                      max_code = std::size_t{1} << 20;
constexpr auto do_not_use = " Do not use this file.";

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_code(std::string_view name) {
  return name.starts_with("code/__torch__") && name.ends_with(".py");
}

bool is_array(std::string_view name) {
  for (const std::string_view folder : {"data/", "constants/"})
    if (name.starts_with(folder))
      return is_number(name.substr(folder.size()));
  return false;
}

/// Largest size of a record, 0 for one that no export writes.
std::size_t max_size(std::string_view name) {
  constexpr std::array<std::string_view, 5> small = {"version", "byteorder", ".format_version",
                                                     ".storage_alignment", serialization_record};
  if (std::ranges::find(small, name) != small.end())
    return max_small;
  if (name == manifest_record)
    return max_manifest;
  if (name == "data.pkl" || name == "constants.pkl")
    return max_pickle;
  if (is_code(name))
    return max_code;
  if (name.starts_with("code/__torch__") && name.ends_with(".py.debug_pkl"))
    return max_pickle;
  return is_array(name) ? std::string_view::npos : 0;
}

void check_names(const Archive& archive) {
  for (const auto& [name, record] : archive.records()) {
    const auto most = max_size(name);
    if (most == 0)
      throw Error("holds an entry named '" + printable(name) + "', which no export writes." + do_not_use);
    if (record.content.size() > most)
      throw Error("holds an entry '" + printable(name) + "' of " + std::to_string(record.content.size()) +
                  " bytes, more than any real one." + do_not_use);
  }
}

void check_text(const Archive& archive, std::string_view name, std::string_view wanted) {
  if (!archive.has(name))
    throw Error("has no record " + std::string(name) + ", it is damaged. Export or copy it again.");
  auto text = archive.content(name);
  while (text.ends_with('\n'))
    text.remove_suffix(1);
  if (wanted.empty() ? !is_number(text) : text != wanted)
    throw Error("holds '" + printable(text) + "' as its " + std::string(name) +
                ". Export it again on this kind of machine.");
}

/// The arrays of data.pkl or constants.pkl against the records that hold them: each is there, and as long as
/// said.
void check_arrays(const Archive& archive, const std::string& folder, const PickleContents& pickle,
                  std::set<std::string>& used) {
  for (const auto& array : pickle.arrays) {
    const auto name = folder + array.key;
    if (!archive.has(name))
      throw Error("has no record " + name + ", it is damaged. Export or copy it again.");
    if (archive.content(name).size() != static_cast<std::size_t>(array.item * array.numbers))
      throw Error("holds " + std::to_string(archive.content(name).size()) + " bytes in " + name + " for " +
                  std::to_string(array.numbers) + " numbers, it is damaged. Export or copy it again.");
    used.insert(name);
  }
}

PickleContents pickle_of(const Archive& archive, const std::string& name) {
  try {
    return check_pickle(archive.content(name));
  } catch (const Error& error) {
    throw Error("holds a record " + printable(name) + " that no export writes: " + error.what() + "." +
                do_not_use);
  }
}

void check_pickles(const Archive& archive, const CodeCheck& code) {
  std::set<std::string> used;
  for (const std::string name : {"data", "constants"}) {
    const auto pickle = pickle_of(archive, name + ".pkl");
    check_arrays(archive, name + "/", pickle, used);
    if (name == "constants" && !pickle.classes.empty())
      throw Error("holds objects among its constants, which no export does. Do not use this file.");
    for (const auto& object : pickle.objects)
      code.check_object(object.type, object.attributes);
  }
  for (const auto& [name, record] : archive.records()) {
    if (is_array(name) && !used.contains(name))
      throw Error("holds an entry named '" + name + "', to which nothing refers." + do_not_use);
    if (name.ends_with(".debug_pkl")) {
      const auto pickle = pickle_of(archive, name);
      if (!pickle.arrays.empty() || !pickle.classes.empty())
        throw Error("holds a record " + printable(name) + " that no export writes." + do_not_use);
    }
  }
}

CodeCheck check_code(const Archive& archive) {
  CodeCheck check;
  const std::string name_of_problem = "holds code that no export writes: ";
  try {
    for (const auto& [name, record] : archive.records()) {
      if (!is_code(name))
        continue;
      auto module = name.substr(5, name.size() - 8);
      std::ranges::replace(module, '/', '.');
      try {
        check.add(module, record.content);
      } catch (const Error& error) {
        throw Error(printable(name) + " " + error.what());
      }
    }
    check.finish();
  } catch (const Error& error) {
    throw Error(name_of_problem + error.what() +
                ". Do not use this file. (An architecture of your own? See docs/architectures/adding.md.)");
  }
  return check;
}

} // namespace

void check_kind(const Archive& archive, const std::string& advice) {
  const bool has_code =
      std::ranges::any_of(archive.records(), [](const auto& record) { return is_code(record.first); });
  if (!archive.has("constants.pkl") || !archive.has("data.pkl") || !has_code)
    throw Error(std::string("is not a TorchScript file") +
                (archive.has("data.pkl")
                     ? ". It looks like a checkpoint of torch.save, perhaps weights saved by torch.save."
                     : " but another archive.") +
                advice);
  if (!archive.has(manifest_record))
    throw Error("is a TorchScript file without unnp.json: it was not written by unnp." + advice);
}

CodeCheck check_records(const Archive& archive) {
  check_names(archive);
  check_text(archive, "version", "");
  if (archive.has("byteorder"))
    check_text(archive, "byteorder", "little");
  auto code = check_code(archive);
  check_pickles(archive, code);
  return code;
}

} // namespace unnp
