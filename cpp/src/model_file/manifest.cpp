#include "unnp/manifest.h"

#include "elements.h"
#include "fields.h"
#include "named_numbers.h"
#include "unnp/error.h"
#include "unnp/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

namespace unnp {

namespace {

constexpr std::array halo_names = {std::pair{HaloKind::local, std::string_view("local")},
                                   std::pair{HaloKind::exchange, std::string_view("exchange")},
                                   std::pair{HaloKind::wide, std::string_view("wide")}};

constexpr double max_receptive_field = 1000.0;
constexpr std::int64_t max_width = 16384, max_members = 1000, max_parameters = 1'000'000'000'000;
constexpr std::int64_t max_features = 1'000'000;
constexpr std::size_t max_exchanges = 10000, max_heads = 1000, max_outputs = 1000;

const std::set<std::string_view> known_fields = {
    // what is computed
    "format_version", "architecture", "config", "elements", "cutoff", "units", "heads", "outputs",
    "n_members", "deviation_scales",
    // how
    "receptive_field", "halo", "exchange_widths", "pooling_widths", "cost", "dtype", "torch_version",
    "torch_supported",
    // for people
    "name", "n_parameters", "data", "validity", "metrics", "references", "licence", "created",
    "records_checksum"};

void check_format(const Fields& fields, const std::string& source) {
  const auto format = fields.count("format_version", 1, max_parameters);
  if (format > manifest_format_version)
    throw Error(source + " has format " + std::to_string(format) + "; this unnp reads up to format " +
                std::to_string(manifest_format_version) + ". Upgrade unnp to open it.");
}

void check_units(const Fields& fields) {
  if (!fields.has("units"))
    return;
  const auto& units = fields.object("units");
  const auto is = [&](const std::string& quantity, const char* unit) {
    const auto found = units.find(quantity);
    return found == units.end() || (found->second.text() && *found->second.text() == unit);
  };
  const auto is_unknown = [](const auto& unit) { return unit.first != "energy" && unit.first != "length"; };
  if (!is("energy", "eV") || !is("length", "angstrom") || std::ranges::any_of(units, is_unknown))
    fields.fail("units must be eV and angstrom.");
}

/// A name that is one word wherever it is typed.
std::string parse_name(const Fields& fields) {
  const auto& name = fields.text("name");
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '.';
  };
  if (name.empty() || name.size() > 64 || !std::ranges::all_of(name, is_plain))
    fields.fail("the name '" + printable(name) +
                "' of a head or output is not one of letters, digits and _-+.");
  return name;
}

std::string parse_head(const Fields& fields, const std::vector<std::string>& elements) {
  fields.check_known({"name", "reference_energies", "groups"});
  const auto& energies = fields.object("reference_energies");
  for (const auto& [element, energy] : energies)
    if (std::ranges::find(elements, element) == elements.end() || !energy.number())
      fields.fail("reference_energies must hold a number for exactly the elements " + join(elements) + ".");
  if (energies.size() != elements.size())
    fields.fail("reference_energies must hold a number for exactly the elements " + join(elements) + ".");
  if (fields.has("groups"))
    fields.texts("groups");
  return parse_name(fields);
}

Output parse_output(const Fields& fields) {
  fields.check_known({"name", "per", "shape", "unit"});
  const auto& per = fields.text("per");
  if (per != "atom" && per != "structure")
    fields.fail("an output is per atom or structure, not per '" + printable(per) + "'.");
  Output output{.name = parse_name(fields), .per_atom = per == "atom"};
  for (const auto& item : fields.array("shape"))
    output.shape.push_back(fields.count(item, "shape", 0, max_features));
  if (output.shape.size() > 4 || output.width() > max_features)
    fields.fail("the output '" + output.name + "' has more numbers than any model gives.");
  if (fields.has("unit"))
    output.unit = fields.text("unit");
  return output;
}

void parse_heads_and_outputs(Manifest& manifest, const Fields& fields) {
  for (const auto& head : fields.tables("heads", max_heads)) {
    const auto name = parse_head(head, manifest.elements);
    if (std::ranges::find(manifest.heads, name) != manifest.heads.end())
      fields.fail("the head '" + name + "' stands twice.");
    manifest.heads.push_back(name);
  }
  for (const auto& table : fields.tables("outputs", max_outputs)) {
    auto output = parse_output(table);
    if (std::ranges::find(manifest.outputs, output.name, &Output::name) != manifest.outputs.end())
      fields.fail("the output '" + output.name + "' stands twice.");
    manifest.outputs.push_back(std::move(output));
  }
  for (const auto* needed : {"energy", "features"})
    if (std::ranges::find(manifest.outputs, needed, &Output::name) == manifest.outputs.end())
      fields.fail("the outputs must name '" + std::string(needed) + "'.");
}

HaloKind parse_halo(const Fields& fields) {
  const auto& given = fields.text("halo");
  for (const auto& [kind, name] : halo_names)
    if (name == given)
      return kind;
  fields.fail("halo '" + printable(given) + "' is unknown; local, exchange and wide are.");
}

/// Major and minor number of a version such as "2.13.0+cpu".
std::pair<int, int> release(const std::string& version, const std::string& source) {
  std::array<int, 2> numbers{};
  const char* at = version.data();
  const char* const end = at + version.size();
  for (auto& number : numbers) {
    const char* const stop = std::find_if_not(at, end, [](char c) { return c >= '0' && c <= '9'; });
    const bool is_followed =
        &number == &numbers[0] ? stop != end && *stop == '.' : stop == end || *stop == '.' || *stop == '+';
    if (stop == at || stop - at > 4 || !is_followed)
      throw Error(source + ": '" + printable(version) + "' is not a version such as '2.13'.");
    std::from_chars(at, stop, number);
    at = stop == end ? stop : stop + 1;
  }
  return {numbers[0], numbers[1]};
}

void check_consistent(const Manifest& manifest, const Fields& fields) {
  if (manifest.receptive_field < manifest.cutoff * (1.0 - 1e-9))
    fields.fail("receptive_field is shorter than cutoff.");
  if (manifest.dtype != "float32" && manifest.dtype != "float64")
    fields.fail("dtype '" + printable(manifest.dtype) + "' is unknown; float32 and float64 are.");
  if (!manifest.deviation_scales.empty() && manifest.n_members < 2)
    fields.fail("deviation_scales is of a committee, but the model has one member.");
  if (manifest.halo == HaloKind::exchange && manifest.exchange_widths.empty())
    fields.fail("halo 'exchange' needs exchange_widths.");
  if (manifest.halo == HaloKind::local && !manifest.exchange_widths.empty())
    fields.fail("halo 'local' has no exchange, but exchange_widths is not empty.");
  if (manifest.halo == HaloKind::wide && !manifest.pooling_widths.empty())
    fields.fail("halo 'wide' has no sums over all atoms, but pooling_widths is not empty.");
}

void check_for_people(const Fields& fields) {
  for (const auto* table : {"config", "data", "metrics"})
    if (fields.has(table))
      fields.object(table);
  if (fields.has("validity"))
    for (const auto& [name, said] : fields.object("validity"))
      if (!said.text())
        fields.fail("validity must hold texts, '" + printable(name) + "' is none.");
  for (const auto* text : {"licence", "created", "records_checksum"})
    if (fields.has(text))
      fields.text(text);
  if (fields.has("cost") && fields.text("cost") != "bonds" && fields.text("cost") != "triplets")
    fields.fail("cost '" + printable(fields.text("cost")) + "' is unknown; bonds and triplets are.");
}

Json parse_json(std::string_view text, const std::string& source) {
  const auto fail = [&](const std::string& what) {
    throw Error(source + ": the manifest " + std::string(manifest_name) + " " + what +
                " Export the model again.");
  };
  if (!is_utf8(text))
    fail("is not valid JSON: it is not UTF-8.");
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Error& error) {
    fail("is " + printable(error.what()) + ".");
  }
  if (!json.object())
    fail("must be a JSON object.");
  return json;
}

void parse_versions(Manifest& manifest, const Fields& fields, const std::string& source) {
  manifest.torch_version = fields.text("torch_version");
  release(manifest.torch_version, source);
  if (!fields.has("torch_supported"))
    return;
  const auto supported = fields.texts("torch_supported");
  if (supported.size() != 2)
    fields.fail("torch_supported must be [oldest, newest].");
  for (const auto& version : supported)
    release(version, source);
  manifest.torch_oldest = supported[0];
  manifest.torch_newest = supported[1];
}

} // namespace

std::string_view to_string(HaloKind kind) {
  for (const auto& [known, name] : halo_names)
    if (known == kind)
      return name;
  return "";
}

std::int64_t Output::width() const {
  std::int64_t numbers = 1;
  for (const auto n : shape)
    numbers *= n;
  return numbers;
}

double Manifest::deviation_scale(const std::string& quantity) const {
  const auto found = deviation_scales.find(quantity);
  return found == deviation_scales.end() ? 1.0 : found->second;
}

std::int64_t Manifest::head(const std::string& name) const {
  if (name.empty())
    return 0;
  const auto found = std::ranges::find(heads, name);
  if (found == heads.end())
    throw Error("the model has no head '" + printable(name) + "'; it has " + join(heads) + "." +
                did_you_mean(name, heads));
  return found - heads.begin();
}

const Output& Manifest::output(const std::string& name) const {
  const auto found = std::ranges::find(outputs, name, &Output::name);
  if (found != outputs.end())
    return *found;
  std::vector<std::string> names;
  for (const auto& output : outputs)
    names.push_back(output.name);
  throw Error("the model has no output '" + printable(name) + "'; it has " + join(names) + "." +
              did_you_mean(name, names));
}

Manifest parse_manifest(std::string_view text, const std::string& source) {
  const auto json = parse_json(text, source);
  const Fields fields(*json.object(), source);
  check_format(fields, source);
  fields.check_known(known_fields);
  check_units(fields);
  check_for_people(fields);
  Manifest manifest;
  manifest.name = fields.text("name");
  manifest.architecture = fields.text("architecture");
  manifest.elements = fields.texts("elements");
  check_elements(fields, manifest.elements);
  parse_heads_and_outputs(manifest, fields);
  manifest.cutoff = fields.length("cutoff", max_cutoff);
  manifest.receptive_field = fields.length("receptive_field", max_receptive_field);
  manifest.halo = parse_halo(fields);
  if (fields.has("exchange_widths"))
    manifest.exchange_widths = fields.counts("exchange_widths", max_width, max_exchanges);
  if (fields.has("pooling_widths"))
    manifest.pooling_widths = fields.counts("pooling_widths", max_width, max_exchanges);
  manifest.dtype = fields.text("dtype");
  if (fields.has("n_members"))
    manifest.n_members = fields.count("n_members", 1, max_members);
  manifest.deviation_scales = deviation_scales(fields);
  manifest.n_parameters = fields.count("n_parameters", 0, max_parameters);
  parse_versions(manifest, fields, source);
  manifest.shortest_distances = shortest_distances(fields);
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
