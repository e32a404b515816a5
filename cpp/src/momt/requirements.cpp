#include "requirements.h"

#include "unnp/error.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace unnp::momt {

namespace {

std::string rounded(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", number);
  return text.data();
}

} // namespace

void require(bool holds, const std::string& message) {
  if (!holds)
    throw Error(message);
}

void require_size(double size, const std::string& what, const std::string& remedy) {
  require(size <= most_numbers, "the bias would have " + rounded(size) + " " + what + ", and at most " +
                                    rounded(most_numbers) + " are allowed; " + remedy);
}

void check(const Ensemble& ensemble) {
  const auto& temperatures = ensemble.temperatures;
  require(ensemble.temperature > 0.0, "T0 has to be above 0.");
  require(!temperatures.empty() && temperatures.front() > 0.0 && std::ranges::is_sorted(temperatures),
          "temps takes TMIN TMAX N with 0 < TMIN <= TMAX and N >= 1.");
  require(!ensemble.order || ensemble.order->low < ensemble.order->high,
          "range takes SMIN SMAX with SMIN < SMAX.");
}

void check_sigma(const OrderAxis& axis) {
  require(axis.sigma > 0.0 && axis.sigma < axis.width(),
          "sigma has to be above 0 and smaller than the range of the order parameter.");
}

} // namespace unnp::momt
