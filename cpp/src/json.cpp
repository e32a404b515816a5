#include "unnp/json.h"

#include "unnp/error.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace unnp {

namespace {

constexpr int max_depth = 200;

class Parser {
public:
  explicit Parser(std::string_view text) : text_(text) {}

  Json document() {
    auto value = this->value(0);
    skip_space();
    if (at_ != text_.size())
      fail("unexpected text after the value");
    return value;
  }

private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error("not valid JSON at character " + std::to_string(at_ + 1) + ": " + what);
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  void expect(char wanted) {
    skip_space();
    if (peek() != wanted)
      fail(std::string("expected '") + wanted + "'");
    ++at_;
  }

  bool accept(char wanted) {
    skip_space();
    if (peek() != wanted)
      return false;
    ++at_;
    return true;
  }

  Json word(std::string_view expected, Json value) {
    if (text_.substr(at_, expected.size()) != expected)
      fail("unknown word");
    at_ += expected.size();
    return value;
  }

  Json value(int depth) {
    if (depth > max_depth)
      fail("nested too deeply");
    skip_space();
    switch (peek()) {
    case '{':
      return object(depth);
    case '[':
      return array(depth);
    case '"':
      return Json(string());
    case 't':
      return word("true", Json(true));
    case 'f':
      return word("false", Json(false));
    case 'n':
      return word("null", Json());
    default:
      return Json(number());
    }
  }

  Json object(int depth) {
    expect('{');
    Json::Object members;
    if (accept('}'))
      return Json(std::move(members));
    do {
      skip_space();
      auto key = string();
      expect(':');
      if (!members.emplace(key, value(depth + 1)).second)
        fail("the key '" + key + "' stands twice");
    } while (accept(','));
    expect('}');
    return Json(std::move(members));
  }

  Json array(int depth) {
    expect('[');
    Json::Array items;
    if (accept(']'))
      return Json(std::move(items));
    do
      items.push_back(value(depth + 1));
    while (accept(','));
    expect(']');
    return Json(std::move(items));
  }

  std::size_t skip_digits() {
    const auto start = at_;
    while (peek() >= '0' && peek() <= '9')
      ++at_;
    if (at_ == start)
      fail("expected a value");
    return at_ - start;
  }

  double number() {
    const auto start = at_;
    at_ += peek() == '-' ? 1 : 0;
    const bool has_zero = peek() == '0';
    if (skip_digits() > 1 && has_zero)
      fail("a number that begins with 0");
    if (peek() == '.')
      ++at_, skip_digits();
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      at_ += peek() == '-' || peek() == '+' ? 1 : 0;
      skip_digits();
    }
    double parsed = 0.0;
    if (std::from_chars(text_.data() + start, text_.data() + at_, parsed).ec != std::errc())
      fail("a number that is too large or too small");
    return parsed;
  }

  std::string string() {
    if (peek() != '"')
      fail("expected a string");
    ++at_;
    std::string parsed;
    while (peek() != '"') {
      if (at_ >= text_.size())
        fail("a string does not end");
      if (static_cast<unsigned char>(text_[at_]) < 0x20)
        fail("a control character in a string");
      if (text_[at_] == '\\')
        escape(parsed);
      else
        parsed += text_[at_++];
    }
    ++at_;
    return parsed;
  }

  void escape(std::string& parsed) {
    ++at_;
    static constexpr std::string_view names = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const char name = peek();
    if (const auto known = names.find(name); name != '\0' && known != std::string_view::npos) {
      parsed += meanings[known];
      ++at_;
    } else if (name == 'u') {
      ++at_;
      append_utf8(parsed, code_point());
    } else {
      fail("unknown escape");
    }
  }

  std::uint32_t four_hex_digits() {
    std::uint32_t code = 0;
    const auto digits = text_.substr(at_, 4);
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (status != std::errc() || end != digits.data() + 4)
      fail("expected four hexadecimal digits");
    at_ += 4;
    return code;
  }

  std::uint32_t code_point() {
    const auto high = four_hex_digits();
    if (high < 0xD800 || high > 0xDFFF)
      return high;
    if (high > 0xDBFF || text_.substr(at_, 2) != "\\u")
      fail("half of a surrogate pair");
    at_ += 2;
    const auto low = four_hex_digits();
    if (low < 0xDC00 || low > 0xDFFF)
      fail("half of a surrogate pair");
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  }

  static void append_utf8(std::string& out, std::uint32_t code) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | (code >> 6));
      tail(0);
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | (code >> 12));
      tail(6), tail(0);
    } else {
      out += static_cast<char>(0xF0 | (code >> 18));
      tail(12), tail(6), tail(0);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void write_string(std::string& out, const std::string& text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      static constexpr char digits[] = "0123456789abcdef";
      out += "\\u00";
      out += digits[c >> 4];
      out += digits[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void write_number(std::string& out, double number) {
  if (!std::isfinite(number))
    throw Error("JSON has no number for " + std::to_string(number));
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
      write_string(out, key);
      out += ": ";
      write(out, member);
    }
    out += '}';
  } else if (const auto* number = value.number()) {
    write_number(out, *number);
  } else if (const auto* text = value.text()) {
    write_string(out, *text);
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

Json Json::parse(std::string_view text) {
  return Parser(text).document();
}

const Json::Array* Json::array() const {
  const auto* held = std::get_if<std::shared_ptr<Array>>(&value_);
  return held ? held->get() : nullptr;
}

const Json::Object* Json::object() const {
  const auto* held = std::get_if<std::shared_ptr<Object>>(&value_);
  return held ? held->get() : nullptr;
}

} // namespace unnp
