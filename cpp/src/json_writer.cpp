#include "unnp/error.h"
#include "unnp/json.h"

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace unnp {

namespace {

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Bit for bit; "-0" would be read as a whole number, which has no sign of zero.
void write_number(std::string& out, double number) {
  if (!std::isfinite(number))
    throw Error("JSON has no number for " + std::to_string(number));
  if (number == 0.0 && std::signbit(number)) {
    out += "-0.0";
    return;
  }
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void write(std::string& out, const Json& value) {
  if (const auto* array = value.array()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      out += i ? ", " : "";
      write(out, (*array)[i]);
    }
    out += ']';
  } else if (const auto* object = value.object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      out += first ? "" : ", ";
      first = false;
      out += quoted(key);
      out += ": ";
      write(out, member);
    }
    out += '}';
  } else if (const auto* number = value.number()) {
    write_number(out, *number);
  } else if (const auto* text = value.text()) {
    out += quoted(*text);
  } else if (const auto* boolean = value.boolean()) {
    out += *boolean ? "true" : "false";
  } else {
    out += "null";
  }
}

} // namespace

std::string Json::dump() const {
  std::string out;
  write(out, *this);
  return out;
}

} // namespace unnp
