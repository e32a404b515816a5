#include "wang_landau.h"

#include "requirements.h"

#include "unnp/momt/state_reader.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace unnp::momt {

namespace {

// Bins at the edge of what can be reached are seen by chance only; they do not hold up the others.
constexpr double rare = 0.25;

// Within this share of the range of h below its lower end the temperature of the prior rises to this many
// times the highest. Going on at the lowest one would let a walker down into whatever is solid there, and
// leave it; crystals with faults outlive nanoseconds even at the highest.
constexpr double wall_width = 0.1, wall_height = 2.0;

std::vector<double> grid_of(const SplineAxis& axis) {
  return {axis.range().low, axis.range().high, static_cast<double>(axis.range().n)};
}

} // namespace

std::span<const Keyword<GridSettings>> GridSettings::keywords() {
  static constexpr Keyword<GridSettings> all[] = {
      {"enthalpy",
       [](GridSettings& s, Words& w) {
         std::tie(s.enthalpy.low, s.enthalpy.high) = w.pair();
         s.enthalpy.n = w.small_count(1);
       }},
      {"tilt", [](GridSettings& s, Words& w) { s.tilt = w.number(); }},
      {"bins", [](GridSettings& s, Words& w) { s.bins = w.small_count(1); }},
      {"increment", [](GridSettings& s, Words& w) { s.increment = w.number(); }},
  };
  return all;
}

void GridSettings::check(const Ensemble& ensemble) const {
  momt::check(ensemble);
  require(enthalpy.n > 0 && enthalpy.low < enthalpy.high,
          "mode wl needs the grid of H: enthalpy HMIN HMAX N with HMIN < HMAX and N >= 1.");
  require(bins > 0 && increment > 0.0, "bins and increment have to be above 0.");
  require_size((enthalpy.n + 3.0) * (order_of(ensemble).n + 3.0), "bins",
               "give enthalpy and bins smaller numbers.");
}

std::unique_ptr<Bias> GridSettings::make_bias(const Ensemble& ensemble) const {
  check(ensemble);
  return std::make_unique<WangLandau>(ensemble, *this);
}

Range GridSettings::order_of(const Ensemble& ensemble) const {
  const auto& axis = ensemble.order;
  return axis ? Range{axis->low, axis->high, bins} : Range{0.0, 1.0, 1};
}

WangLandau::WangLandau(const Ensemble& ensemble, const GridSettings& settings)
    : thermal_energy_(ensemble.thermal_energy()),
      low_energy_(ensemble.boltzmann * ensemble.temperatures.front()),
      high_energy_(ensemble.boltzmann * ensemble.temperatures.back()), enthalpy_(settings.enthalpy),
      order_(settings.order_of(ensemble)),
      coefficients_(static_cast<std::size_t>(enthalpy_.n_coefficients()) * order_.n_coefficients(), 0.0),
      histogram_(static_cast<std::size_t>(enthalpy_.range().n) * order_.range().n, 0.0),
      visits_(histogram_.size(), 0.0), mean_(coefficients_.size()),
      tilt_(ensemble.order ? settings.tilt : 0.0), increment_(settings.increment), middle_(0.0),
      has_order_(ensemble.order.has_value()) {
  middle_ = prior(0.5 * (enthalpy_.range().low + enthalpy_.range().high)).first;
}

std::pair<double, double> WangLandau::prior(double h) const {
  const auto [low, high, n] = enthalpy_.range();
  const bool below = h < low;
  const double width = (high - low) * (below ? wall_width : 1.0);
  const double end = high_energy_ * (below ? wall_height : 1.0); // k T there
  const double away = std::abs(h - low), inside = std::min(away, width);
  const double slope = (end - low_energy_) / width;
  const double energy = low_energy_ + slope * inside; // k T(h)
  const double rise = slope > 0.0 ? std::log(energy / low_energy_) / slope : inside / low_energy_;
  return {std::copysign(rise + (away - inside) / end, h - low) - middle_, 1.0 / energy};
}

BiasValue WangLandau::at(double enthalpy, double order) const {
  const double h = level(enthalpy, order);
  const auto [log_prior, rate] = prior(h);
  const auto along = enthalpy_.at(h), across = order_.at(order);
  const auto& coefficients = frozen_ ? mean_.values() : coefficients_;
  double value = 0.0, per_enthalpy = 0.0, per_order = 0.0;
  for (int i = 0; i < 4; ++i) {
    const double* const row =
        &coefficients[static_cast<std::size_t>(along.index[i]) * order_.n_coefficients()];
    for (int j = 0; j < 4; ++j) {
      const double c = row[across.index[j]];
      value += c * along.value[i] * across.value[j];
      per_enthalpy += c * along.slope[i] * across.value[j];
      per_order += c * along.value[i] * across.slope[j];
    }
  }
  const double middle = 0.5 * (enthalpy_.range().low + enthalpy_.range().high);
  const double slope = thermal_energy_ * (rate + per_enthalpy) - 1.0;
  return {thermal_energy_ * (log_prior + value) - (h - middle), slope,
          thermal_energy_ * per_order + tilt_ * slope};
}

void WangLandau::update(const Sample& sample, std::int64_t passages) {
  ++updates_;
  count(level(sample.enthalpy, sample.order), sample.order);
  mean_.add(coefficients_, updates_);
  lower_increment(passages);
}

// What lies beyond an end belongs to the bin there: it is filled like any other, and pushes back.
void WangLandau::count(double h, double order) {
  const auto along = enthalpy_.at(h), across = order_.at(order);
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j)
      coefficients_[static_cast<std::size_t>(along.index[i]) * order_.n_coefficients() + across.index[j]] +=
          increment_ * along.value[i] * across.value[j];
  const auto bin = static_cast<std::size_t>(enthalpy_.bin(h)) * order_.range().n + order_.bin(order);
  histogram_[bin] += 1.0;
  visits_[bin] += 1.0;
}

bool WangLandau::travelled(std::int64_t passages) const {
  return !has_order_ || passages >= passages_then_ + 2;
}

void WangLandau::lower_increment(std::int64_t passages) {
  const auto visited = static_cast<double>(std::ranges::count_if(visits_, [](double n) { return n > 0.0; }));
  const double by_time = visited / static_cast<double>(updates_);
  if (follows_time_) {
    increment_ = std::min(increment_, by_time);
  } else if (updates_ % static_cast<std::int64_t>(histogram_.size()) == 0 && travelled(passages) && swept()) {
    increment_ *= 0.5;
    passages_then_ = passages;
    std::ranges::fill(histogram_, 0.0);
    follows_time_ = increment_ < by_time;
  }
}

bool WangLandau::swept() const {
  const double total = std::accumulate(visits_.begin(), visits_.end(), 0.0);
  const auto n_visited =
      static_cast<double>(std::ranges::count_if(visits_, [](double n) { return n > 0.0; }));
  for (std::size_t k = 0; k < visits_.size(); ++k)
    if (visits_[k] > rare * total / n_visited && histogram_[k] == 0.0)
      return false;
  return true;
}

Json::Object WangLandau::state() const {
  const auto n_bins = static_cast<std::size_t>(order_.range().n);
  return {{"enthalpy_grid", to_json(grid_of(enthalpy_))},
          {"order_grid", to_json(grid_of(order_))},
          {"tilt", Json(tilt_)},
          {"log_density", to_json(coefficients_, static_cast<std::size_t>(order_.n_coefficients()))},
          {"mean_log_density", to_json(mean_.values(), static_cast<std::size_t>(order_.n_coefficients()))},
          {"histogram", to_json(histogram_, n_bins)},
          {"visits", to_json(visits_, n_bins)},
          {"increment", Json(increment_)},
          {"follows_time", Json(follows_time_)},
          {"passages_then", Json(static_cast<double>(passages_then_))},
          {"updates", Json(static_cast<double>(updates_))}};
}

void WangLandau::restore(const Json::Object& state) {
  const StateReader reader(state);
  reader.require_same("enthalpy_grid", grid_of(enthalpy_), "enthalpy");
  reader.require_same("order_grid", grid_of(order_), "range or bins");
  reader.require_same("tilt", {tilt_}, "tilt");
  coefficients_ = reader.numbers("log_density", coefficients_.size());
  mean_.restore(reader.numbers("mean_log_density", coefficients_.size()));
  histogram_ = reader.numbers("histogram", histogram_.size());
  visits_ = reader.numbers("visits", visits_.size());
  increment_ = reader.number("increment");
  updates_ = reader.count("updates");
  passages_then_ = reader.count("passages_then");
  follows_time_ = reader.boolean("follows_time");
}

} // namespace unnp::momt
