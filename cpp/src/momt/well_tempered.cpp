#include "well_tempered.h"

#include "requirements.h"

#include "unnp/momt/state_reader.h"

#include <algorithm>
#include <cmath>

namespace unnp::momt {

namespace {

Range intervals(const OrderAxis& axis) {
  return {axis.low, axis.high,
          static_cast<int>(std::ceil(intervals_per_sigma * axis.width() / axis.sigma - 1e-9))};
}

} // namespace

std::span<const Keyword<HillsSettings>> HillsSettings::keywords() {
  static constexpr Keyword<HillsSettings> all[] = {
      {"observe", [](HillsSettings& s, Words& w) { s.observe = w.count(0); }},
      {"memory", [](HillsSettings& s, Words& w) { s.memory = w.number(); }},
      {"height", [](HillsSettings& s, Words& w) { s.height = w.number(); }},
      {"gamma", [](HillsSettings& s, Words& w) { s.gamma = w.number(); }},
  };
  return all;
}

void HillsSettings::check(const Ensemble& ensemble) const {
  momt::check(ensemble);
  require(ensemble.order.has_value(), "mode wt puts hills in the order parameter; give one with order.");
  check_sigma(*ensemble.order);
  require(observe >= 0 && memory >= 0.0, "observe and memory cannot be negative.");
  require(height_of(ensemble) > 0.0 && gamma > 1.0, "height has to be above 0 and gamma above 1.");
  require_size(std::max(intervals_per_sigma * ensemble.order->width() / ensemble.order->sigma,
                        static_cast<double>(ensemble.temperatures.size())),
               "points of hills or temperatures", "take a larger sigma or fewer temperatures in temps.");
}

double HillsSettings::height_of(const Ensemble& ensemble) const {
  return height.value_or(0.25 * ensemble.thermal_energy());
}

std::unique_ptr<Bias> HillsSettings::make_bias(const Ensemble& ensemble) const {
  check(ensemble);
  return std::make_unique<WellTempered>(ensemble, *this);
}

WellTempered::WellTempered(const Ensemble& ensemble, const HillsSettings& settings)
    : temperatures_(ensemble, {.observe = settings.observe, .memory = settings.memory}, false),
      axis_(intervals(*ensemble.order)), sigma_(ensemble.order->sigma), height_(settings.height_of(ensemble)),
      gamma_(settings.gamma), tempering_((settings.gamma - 1.0) * ensemble.thermal_energy()),
      potential_(static_cast<std::size_t>(axis_.n_coefficients()), 0.0), mean_(potential_.size()) {}

BiasValue WellTempered::hills(const std::vector<double>& potential, double order) const {
  const auto weights = axis_.at(order);
  BiasValue value;
  for (int k = 0; k < 4; ++k) {
    value.energy += weights.value[k] * potential[weights.index[k]];
    value.per_order += weights.slope[k] * potential[weights.index[k]];
  }
  return value;
}

BiasValue WellTempered::at(double enthalpy, double order) const {
  auto value = temperatures_.at(enthalpy, order);
  const auto of_order = hills(frozen_ ? mean_.values() : potential_, order);
  value.energy += of_order.energy;
  value.per_order += of_order.per_order;
  return value;
}

void WellTempered::update(const Sample& sample, std::int64_t passages) {
  // The temperatures are balanced within the ensemble that the hills make: their weights see their own bias
  // only.
  const auto own = temperatures_.at(sample.enthalpy, sample.order).energy;
  temperatures_.update({sample.enthalpy, sample.order, own}, passages);
  const double height = height_ * std::exp(-hills(potential_, sample.order).energy / tempering_);
  for (int i = 0; i < axis_.n_coefficients(); ++i) {
    const double away = (axis_.centre(i) - sample.order) / sigma_;
    potential_[i] += height * std::exp(-0.5 * away * away);
  }
  mean_.add(potential_, temperatures_.updates());
}

std::vector<double> WellTempered::grid() const {
  const auto& range = axis_.range();
  return {range.low, range.high, static_cast<double>(range.n)};
}

Json::Object WellTempered::state() const {
  Json::Object hills{{"order_grid", to_json(grid())},    {"sigma", Json(sigma_)},
                     {"height", Json(height_)},          {"gamma", Json(gamma_)},
                     {"potential", to_json(potential_)}, {"mean_potential", to_json(mean_.values())}};
  return {{"temperatures", Json(temperatures_.state())}, {"hills", Json(std::move(hills))}};
}

void WellTempered::restore(const Json::Object& state) {
  const StateReader reader(state), hills(reader.object("hills"));
  hills.require_same("order_grid", grid(), "range or sigma");
  temperatures_.restore(reader.object("temperatures"));
  potential_ = hills.numbers("potential", potential_.size());
  mean_.restore(hills.numbers("mean_potential", potential_.size()));
}

} // namespace unnp::momt
