#include "pickle_tensor.h"

#include "unnp/error.h"

#include <algorithm>
#include <array>
#include <utility>

namespace unnp {

namespace {

using Kind = PickleValue::Kind;

constexpr std::array<std::pair<std::string_view, std::int64_t>, 9> storages = {{{"FloatStorage", 4},
                                                                                {"DoubleStorage", 8},
                                                                                {"LongStorage", 8},
                                                                                {"IntStorage", 4},
                                                                                {"ShortStorage", 2},
                                                                                {"CharStorage", 1},
                                                                                {"ByteStorage", 1},
                                                                                {"BoolStorage", 1},
                                                                                {"HalfStorage", 2}}};
constexpr std::int64_t max_numbers = std::int64_t{1} << 31;
constexpr std::size_t max_dimensions = 16;

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 8 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

[[noreturn]] void misfit() {
  throw Error("a tensor does not fit the array it is stored in");
}

std::vector<std::int64_t> counts(const PickleValues& values, const PickleValue& tuple) {
  std::vector<std::int64_t> numbers;
  if (tuple.kind != Kind::tuple || tuple.items.size() > max_dimensions)
    misfit();
  for (const auto item : tuple.items) {
    const auto& value = values[item];
    if (value.kind != Kind::integer || value.number < 0 || value.number > max_numbers)
      misfit();
    numbers.push_back(value.number);
  }
  return numbers;
}

} // namespace

std::int64_t bytes_per_number(std::string_view storage) {
  for (const auto& [name, bytes] : storages)
    if (name == storage)
      return bytes;
  return 0;
}

StoredArray read_array(const PickleValues& values, const PickleValue& id) {
  const auto part = [&](std::size_t k, Kind kind) -> const PickleValue& {
    if (id.kind != Kind::tuple || id.items.size() != 5 || values[id.items[k]].kind != kind)
      throw Error("an array is not described as torch does");
    return values[id.items[k]];
  };
  const auto& type = part(1, Kind::global).text;
  const auto item = type.starts_with("torch\n") ? bytes_per_number(type.substr(6)) : 0;
  const auto& key = part(2, Kind::text).text;
  const auto numbers = part(4, Kind::integer).number;
  if (part(0, Kind::text).text != "storage" || item == 0 || !is_number(key) ||
      part(3, Kind::text).text != "cpu" || numbers < 0 || numbers > max_numbers)
    throw Error("an array is not described as torch does");
  return {key, item, numbers};
}

void check_tensor(const PickleValues& values, const PickleValue& arguments) {
  const auto& items = arguments.items;
  if (items.size() != 6 || values[items[0]].kind != Kind::array || values[items[1]].kind != Kind::integer ||
      values[items[4]].kind != Kind::boolean || values[items[5]].kind != Kind::dictionary)
    throw Error("a tensor is not described as torch does");
  const auto sizes = counts(values, values[items[2]]), strides = counts(values, values[items[3]]);
  std::int64_t last = values[items[1]].number;
  if (sizes.size() != strides.size() || last < 0)
    misfit();
  const bool is_empty = std::ranges::find(sizes, 0) != sizes.end();
  for (std::size_t k = 0; k < sizes.size() && !is_empty; ++k) {
    if (strides[k] != 0 && sizes[k] - 1 > max_numbers / strides[k])
      misfit();
    last += (sizes[k] - 1) * strides[k];
  }
  if (last > max_numbers || last + (is_empty ? 0 : 1) > values[items[0]].number)
    misfit();
}

} // namespace unnp
