#include "unnp/manifest.h"

#include "unnp/error.h"
#include "unnp/json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace unnp {

namespace {

constexpr std::array halo_names = {std::pair{HaloKind::local, std::string_view("local")},
                                   std::pair{HaloKind::exchange, std::string_view("exchange")},
                                   std::pair{HaloKind::wide, std::string_view("wide")}};

/// The fields of a JSON object, each checked for presence and kind.
class Fields {
public:
  Fields(const Json::Object& object, std::string source) : object_(object), source_(std::move(source)) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(source_ + ": manifest " + std::string(manifest_name) + ": " + what +
                " Export the model again.");
  }

  const Json& get(const std::string& key) const {
    const auto found = object_.find(key);
    if (found == object_.end())
      fail("the field '" + key + "' is missing.");
    return found->second;
  }

  const std::string& text(const std::string& key) const {
    const auto* value = get(key).text();
    if (!value)
      fail("the field '" + key + "' must be text.");
    return *value;
  }

  double positive(const std::string& key) const {
    const auto* value = get(key).number();
    if (!value || !std::isfinite(*value) || *value <= 0.0)
      fail("the field '" + key + "' must be a positive number.");
    return *value;
  }

  std::int64_t count(const std::string& key, std::int64_t least) const { return count(get(key), key, least); }

  std::int64_t count(const Json& json, const std::string& key, std::int64_t least) const {
    const auto* value = json.number();
    if (!value || *value != std::floor(*value) || *value < static_cast<double>(least) || *value > 9e15)
      fail("the field '" + key + "' must hold whole numbers from " + std::to_string(least) + ".");
    return static_cast<std::int64_t>(*value);
  }

  const Json::Array& array(const std::string& key) const {
    const auto* value = get(key).array();
    if (!value)
      fail("the field '" + key + "' must be a list.");
    return *value;
  }

  std::vector<std::string> texts(const std::string& key) const {
    std::vector<std::string> values;
    for (const auto& item : array(key)) {
      if (!item.text())
        fail("the field '" + key + "' must be a list of texts.");
      values.push_back(*item.text());
    }
    return values;
  }

  std::vector<std::int64_t> counts(const std::string& key) const {
    std::vector<std::int64_t> values;
    for (const auto& item : array(key))
      values.push_back(count(item, key, 1));
    return values;
  }

  bool has(const std::string& key) const { return object_.contains(key); }

private:
  const Json::Object& object_;
  std::string source_;
};

void check_format(const Fields& fields, const std::string& source) {
  const auto format = fields.count("format_version", 1);
  if (format > manifest_format_version)
    throw Error(source + " has format " + std::to_string(format) + "; this unnp reads up to format " +
                std::to_string(manifest_format_version) + ". Upgrade unnp to open it.");
}

void check_units(const Fields& fields) {
  const auto* units = fields.get("units").object();
  const auto is = [&](const char* quantity, const char* unit) {
    const auto found = units->find(quantity);
    return found != units->end() && found->second.text() && *found->second.text() == unit;
  };
  if (!units || !is("energy", "eV") || !is("length", "angstrom"))
    fields.fail("units must be eV and angstrom.");
}

HaloKind parse_halo(const Fields& fields) {
  const auto& given = fields.text("halo");
  for (const auto& [kind, name] : halo_names)
    if (name == given)
      return kind;
  fields.fail("halo '" + given + "' is unknown; local, exchange and wide are.");
}

std::pair<int, int> release(const std::string& version, const std::string& source) {
  int major = 0, minor = 0;
  const char* const end = version.data() + version.size();
  const auto first = std::from_chars(version.data(), end, major);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == '.') {
    if (std::from_chars(first.ptr + 1, end, minor).ec == std::errc())
      return {major, minor};
  }
  throw Error(source + ": '" + version + "' is not a version such as '2.13'.");
}

void check_consistent(const Manifest& manifest, const Fields& fields) {
  if (manifest.elements.empty())
    fields.fail("the list of elements is empty.");
  if (manifest.receptive_field < manifest.cutoff * (1.0 - 1e-9))
    fields.fail("receptive_field is shorter than cutoff.");
  if (manifest.dtype != "float32" && manifest.dtype != "float64")
    fields.fail("dtype '" + manifest.dtype + "' is unknown; float32 and float64 are.");
  if (manifest.halo == HaloKind::exchange && manifest.exchange_widths.empty())
    fields.fail("halo 'exchange' needs exchange_widths.");
}

} // namespace

std::string_view to_string(HaloKind kind) {
  for (const auto& [known, name] : halo_names)
    if (known == kind)
      return name;
  return "";
}

Manifest parse_manifest(std::string_view text, const std::string& source) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Error& error) {
    throw Error(source + ": the manifest " + std::string(manifest_name) + " is " + error.what() +
                ". Export the model again.");
  }
  if (!json.object())
    throw Error(source + ": the manifest " + std::string(manifest_name) +
                " must be a JSON object. Export the model again.");
  const Fields fields(*json.object(), source);
  check_format(fields, source);
  check_units(fields);
  Manifest manifest;
  manifest.name = fields.text("name");
  manifest.architecture = fields.text("architecture");
  manifest.elements = fields.texts("elements");
  manifest.cutoff = fields.positive("cutoff");
  manifest.receptive_field = fields.positive("receptive_field");
  manifest.halo = parse_halo(fields);
  manifest.exchange_widths = fields.counts("exchange_widths");
  manifest.dtype = fields.text("dtype");
  manifest.n_members = fields.count("n_members", 1);
  manifest.n_parameters = fields.count("n_parameters", 0);
  manifest.torch_version = fields.text("torch_version");
  const auto supported = fields.texts("torch_supported");
  if (supported.size() != 2)
    fields.fail("torch_supported must be [oldest, newest].");
  manifest.torch_oldest = supported[0];
  manifest.torch_newest = supported[1];
  if (fields.has("references"))
    manifest.references = fields.texts("references");
  if (fields.has("licence"))
    manifest.licence = fields.text("licence");
  check_consistent(manifest, fields);
  return manifest;
}

void check_torch_supported(const Manifest& manifest, const std::string& version, const std::string& source) {
  const auto running = release(version, source);
  if (running < release(manifest.torch_oldest, source) || running > release(manifest.torch_newest, source))
    throw Error(source + " runs with torch " + manifest.torch_oldest + " to " + manifest.torch_newest +
                ", but this unnp runs with torch " + version +
                ". Install a torch of that range and build unnp against it, or export the model again.");
}

} // namespace unnp
