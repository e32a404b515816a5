#include "unnp/momt/words.h"

#include "unnp/error.h"

#include <charconv>
#include <cmath>

namespace unnp::momt {

namespace {

constexpr std::int64_t most = 1'000'000;

/// Whether the whole text is a number, which `value` then is.
template <class Number>
bool is_number(std::string_view text, Number& value) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc() && end == text.data() + text.size();
}

} // namespace

const std::string& Words::keyword() {
  return named_ = words_[at_++];
}

std::string Words::kind() {
  const auto kind = word();
  named_ += ' ' + kind;
  return kind;
}

const std::string& Words::word() {
  if (at_end())
    throw Error("the keyword '" + named_ + "' needs more values.");
  return words_[at_++];
}

double Words::number() {
  const auto& text = word();
  double value = 0.0;
  const auto unsigned_text = std::string_view(text).substr(text.starts_with('+') ? 1 : 0);
  if (!is_number(unsigned_text, value) || !std::isfinite(value))
    throw Error("the keyword '" + named_ + "' takes a number, not '" + text + "'.");
  return value;
}

std::pair<double, double> Words::pair() {
  const double first = number();
  return {first, number()};
}

std::int64_t Words::count(std::int64_t lowest) {
  const auto& text = word();
  std::int64_t value = 0;
  if (!is_number(text, value) || value < lowest)
    throw Error("the keyword '" + named_ + "' takes a whole number from " + std::to_string(lowest) +
                ", not '" + text + "'.");
  return value;
}

int Words::small_count(int lowest) {
  const auto value = count(lowest);
  if (value > most)
    throw Error("the keyword '" + named_ + "' does not take a number as large as " + std::to_string(value) +
                ".");
  return static_cast<int>(value);
}

std::string Words::since(std::size_t begin) const {
  std::string text;
  for (const auto& word : words_.subspan(begin, at_ - begin))
    text += (text.empty() ? "" : " ") + word;
  return text;
}

} // namespace unnp::momt
