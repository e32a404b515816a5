#include "unnp/error.h"

#include <algorithm>
#include <numeric>

namespace unnp {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row[b.size()];
}

} // namespace

std::string did_you_mean(std::string_view given, const std::vector<std::string>& allowed) {
  const auto distance = [&](const std::string& word) { return edit_distance(given, word); };
  const auto closest = std::ranges::min_element(allowed, {}, distance);
  if (closest == allowed.end() || distance(*closest) > std::max<std::size_t>(1, closest->size() / 3))
    return "";
  return " Did you mean '" + *closest + "'?";
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

} // namespace unnp
