#include "fields.h"

#include "unnp/error.h"
#include "unnp/manifest.h"
#include "unnp/text.h"

#include <cmath>

namespace unnp {

void Fields::fail(const std::string& what) const {
  throw Error(source_ + ": manifest " + std::string(manifest_name) + ": " + what +
              " Export the model again.");
}

const Json& Fields::get(const std::string& key) const {
  const auto found = object_.find(key);
  if (found == object_.end())
    fail("the field '" + key + "' is missing.");
  return found->second;
}

const std::string& Fields::text(const std::string& key) const {
  const auto* value = get(key).text();
  if (!value)
    fail("the field '" + key + "' must be text.");
  return *value;
}

std::vector<std::string> Fields::texts(const std::string& key) const {
  std::vector<std::string> values;
  for (const auto& item : array(key)) {
    if (!item.text())
      fail("the field '" + key + "' must be a list of texts.");
    values.push_back(*item.text());
  }
  return values;
}

double Fields::length(const std::string& key, double most) const {
  const auto* value = get(key).number();
  if (!value || !std::isfinite(*value) || *value <= 0.0)
    fail("the field '" + key + "' must be a positive number.");
  if (*value > most)
    fail("the field '" + key + "' is larger than " + std::to_string(static_cast<int>(most)) +
         " A: the neighbours would fill the memory.");
  return *value;
}

std::int64_t Fields::count(const Json& item, const std::string& key, std::int64_t least,
                           std::int64_t most) const {
  const auto* value = item.number();
  if (!value || *value != std::floor(*value) || *value < static_cast<double>(least) ||
      *value > static_cast<double>(most))
    fail("the field '" + key + "' must hold whole numbers from " + std::to_string(least) + " to " +
         std::to_string(most) + ".");
  return static_cast<std::int64_t>(*value);
}

std::int64_t Fields::count(const std::string& key, std::int64_t least, std::int64_t most) const {
  return count(get(key), key, least, most);
}

std::vector<std::int64_t> Fields::counts(const std::string& key, std::int64_t most, std::size_t n) const {
  std::vector<std::int64_t> values;
  for (const auto& item : array(key))
    values.push_back(count(item, key, 1, most));
  if (values.size() > n)
    fail("the field '" + key + "' has more entries than any model.");
  return values;
}

const Json::Object& Fields::object(const std::string& key) const {
  const auto* value = get(key).object();
  if (!value)
    fail("the field '" + key + "' must be a table.");
  return *value;
}

const Json::Array& Fields::array(const std::string& key) const {
  const auto* value = get(key).array();
  if (!value)
    fail("the field '" + key + "' must be a list.");
  return *value;
}

std::vector<Fields> Fields::tables(const std::string& key, std::size_t most) const {
  std::vector<Fields> found;
  for (const auto& item : array(key)) {
    if (!item.object())
      fail("the field '" + key + "' must be a list of tables.");
    found.emplace_back(*item.object(), source_);
  }
  if (found.empty() || found.size() > most)
    fail("the field '" + key + "' must hold 1 to " + std::to_string(most) + " tables.");
  return found;
}

void Fields::check_known(const std::set<std::string_view>& known) const {
  for (const auto& [key, _] : object_)
    if (!known.contains(key))
      fail("the field '" + printable(key) + "' is unknown.");
}

} // namespace unnp
