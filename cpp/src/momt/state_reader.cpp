#include "unnp/momt/state_reader.h"

#include "unnp/error.h"

#include <cmath>

namespace unnp::momt {

namespace {

constexpr double largest = 1e12; // no energy, weight or count of a bias comes near
constexpr int deepest = 2;       // rows of a table

void collect(const Json& value, std::vector<double>& out, const std::string& name, int depth = 0) {
  const auto* const items = value.array();
  if (items && depth < deepest) {
    for (const auto& item : *items)
      collect(item, out, name, depth + 1);
  } else if (const auto* number = value.number()) {
    if (std::abs(*number) > largest)
      throw Error("'" + name + "' of the saved state holds a number that is too large.");
    out.push_back(*number);
  } else {
    throw Error("'" + name + "' of the saved state holds something else than numbers.");
  }
}

} // namespace

Json to_json(const std::vector<double>& numbers) {
  Json::Array items;
  for (const double number : numbers)
    items.emplace_back(number);
  return Json(std::move(items));
}

Json to_json(const std::vector<double>& numbers, std::size_t n_columns) {
  Json::Array rows;
  for (std::size_t at = 0; at < numbers.size(); at += n_columns)
    rows.push_back(
        to_json(std::vector<double>(numbers.begin() + static_cast<std::ptrdiff_t>(at),
                                    numbers.begin() + static_cast<std::ptrdiff_t>(at + n_columns))));
  return Json(std::move(rows));
}

const Json& StateReader::member(const std::string& name) const {
  const auto found = state_.find(name);
  if (found == state_.end())
    throw Error("the saved state has no '" + name + "'.");
  return found->second;
}

bool StateReader::boolean(const std::string& name) const {
  if (const auto* boolean = member(name).boolean())
    return *boolean;
  throw Error("'" + name + "' of the saved state is not true or false.");
}

double StateReader::number(const std::string& name) const {
  if (const auto* number = member(name).number())
    return *number;
  throw Error("'" + name + "' of the saved state is not a number.");
}

std::int64_t StateReader::count(const std::string& name) const {
  const double value = number(name);
  if (value < 0.0 || value > 9e15 || value != std::floor(value))
    throw Error("'" + name + "' of the saved state is not a whole number from 0.");
  return static_cast<std::int64_t>(value);
}

const std::string& StateReader::text(const std::string& name) const {
  if (const auto* text = member(name).text())
    return *text;
  throw Error("'" + name + "' of the saved state is not a text.");
}

const Json::Object& StateReader::object(const std::string& name) const {
  if (const auto* object = member(name).object())
    return *object;
  throw Error("'" + name + "' of the saved state is not an object.");
}

std::vector<double> StateReader::numbers(const std::string& name, std::size_t size) const {
  std::vector<double> found;
  collect(member(name), found, name);
  if (found.size() != size)
    throw Error("'" + name + "' of the saved state has " + std::to_string(found.size()) +
                " numbers, where this run has " + std::to_string(size) + ".");
  return found;
}

void StateReader::require_same(const std::string& name, const std::vector<double>& expected,
                               const std::string& keywords) const {
  std::vector<double> found;
  collect(member(name), found, name);
  bool same = found.size() == expected.size();
  for (std::size_t i = 0; same && i < found.size(); ++i)
    same = std::abs(found[i] - expected[i]) <= 1e-9 * (1e-6 + std::abs(expected[i]));
  if (!same)
    throw Error("the saved state was made with other values of " + keywords + " ('" + name +
                "' differs); use the same ones, or begin anew without it.");
}

} // namespace unnp::momt
