#include "named_numbers.h"

#include "unnp/text.h"

namespace unnp {

namespace {

constexpr double max_scale = 1e12;

} // namespace

std::map<std::string, double> shortest_distances(const Fields& fields) {
  std::map<std::string, double> distances;
  if (!fields.has("data"))
    return distances;
  const auto& data = fields.object("data");
  const auto given = data.find("shortest_distances");
  if (given == data.end() || !given->second.object())
    return distances;
  for (const auto& [pair, distance] : *given->second.object())
    if (const auto* value = distance.number(); value && *value > 0.0 && *value <= max_cutoff)
      distances[pair] = *value;
  return distances;
}

std::map<std::string, double> deviation_scales(const Fields& fields) {
  std::map<std::string, double> scales;
  if (!fields.has("deviation_scales"))
    return scales;
  for (const auto& [quantity, scale] : fields.object("deviation_scales")) {
    const auto* value = scale.number();
    if ((quantity != "energy" && quantity != "forces") || !value || !(*value > 0.0 && *value <= max_scale))
      fields.fail("deviation_scales must hold positive numbers by energy and forces, '" +
                  printable(quantity) + "' does not fit.");
    scales[quantity] = *value;
  }
  return scales;
}

} // namespace unnp
