#include "unnp/momt/bias.h"

#include "expanded_ensemble.h"
#include "wang_landau.h"
#include "well_tempered.h"

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

void require(bool holds, const std::string& message) {
  if (!holds)
    throw Error(message);
}

void require_size(double size, const std::string& what, const std::string& remedy) {
  require(size <= most_numbers, "the bias would have " + rounded(size) + " " + what + ", and at most " +
                                    rounded(most_numbers) + " are allowed; " + remedy);
}

// Before anything of that size is made. All of it is gone through at every step.
void check_size(const BiasSettings& settings) {
  const double width = settings.order_high - settings.order_low;
  const auto n_temperatures = static_cast<double>(settings.temperatures.size());
  if (settings.mode == "opes")
    require_size(n_temperatures * (settings.has_order ? width / settings.sigma + 2.0 : 1.0),
                 "states (temperatures times umbrellas)",
                 "take a larger sigma or fewer temperatures in temps.");
  if (settings.mode == "wt" && settings.has_order)
    require_size(std::max(intervals_per_sigma * width / settings.sigma, n_temperatures),
                 "points of hills or temperatures", "take a larger sigma or fewer temperatures in temps.");
  if (settings.mode == "wl")
    require_size((settings.enthalpy.n + 3.0) * (settings.has_order ? settings.order_bins + 3.0 : 4.0), "bins",
                 "give enthalpy and bins smaller numbers.");
}

void check(const BiasSettings& settings) {
  require(settings.temperature > 0.0, "T0 has to be above 0.");
  require(!settings.temperatures.empty() && settings.temperatures.front() > 0.0 &&
              std::ranges::is_sorted(settings.temperatures),
          "temps takes TMIN TMAX N with 0 < TMIN <= TMAX and N >= 1.");
  require(settings.mode == "wl" || settings.observe >= 0, "observe cannot be negative.");
  if (settings.has_order) {
    require(settings.order_low < settings.order_high, "range takes SMIN SMAX with SMIN < SMAX.");
    require(settings.mode == "wl" ||
                (settings.sigma > 0.0 && settings.sigma < settings.order_high - settings.order_low),
            "sigma has to be above 0 and smaller than the range of the order parameter.");
  }
}

void check_bridge(const BiasSettings& settings) {
  const auto n = std::ranges::count_if(settings.temperatures, [&](double t) { return settings.bridges(t); });
  require(n > 0,
          "none of the temperatures of temps lies between the two of bridge, so that nothing leads from one "
          "phase to the other.");
  require(settings.free > 0.0 || n == std::ssize(settings.temperatures),
          "temperatures outside bridge have no umbrellas, and with free 0 no samples at all: give free above "
          "0, or bridge TMIN TMAX.");
}

} // namespace

std::unique_ptr<Bias> make_bias(const BiasSettings& settings) {
  check(settings);
  check_size(settings);
  if (settings.mode == "opes") {
    require(settings.barrier >= 0.0 && settings.memory >= 0.0 && settings.free >= 0.0 && settings.free < 1.0,
            "barrier and memory cannot be negative, and free is a share from 0 to below 1.");
    if (settings.has_order)
      check_bridge(settings);
    return std::make_unique<ExpandedEnsemble>(settings, settings.has_order);
  }
  if (settings.mode == "wt") {
    require(settings.has_order, "mode wt puts hills in the order parameter; give one with order.");
    require(settings.height > 0.0 && settings.gamma > 1.0, "height has to be above 0 and gamma above 1.");
    return std::make_unique<WellTempered>(settings);
  }
  if (settings.mode == "wl") {
    require(settings.enthalpy.n > 0 && settings.enthalpy.low < settings.enthalpy.high,
            "mode wl needs the grid of H: enthalpy HMIN HMAX N with HMIN < HMAX and N >= 1.");
    require(settings.order_bins > 0 && settings.increment > 0.0, "bins and increment have to be above 0.");
    return std::make_unique<WangLandau>(settings);
  }
  const std::vector<std::string> modes{"opes", "wt", "wl"};
  throw Error("there is no mode '" + settings.mode + "'; there are " + join(modes) + "." +
              did_you_mean(settings.mode, modes));
}

} // namespace unnp::momt
