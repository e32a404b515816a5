#include "well_tempered.h"

#include "unnp/momt/state_reader.h"

#include <cmath>

namespace unnp::momt {

namespace {

Range grid(const BiasSettings& settings) {
  const double width = settings.order_high - settings.order_low;
  return {settings.order_low, settings.order_high,
          static_cast<int>(std::ceil(intervals_per_sigma * width / settings.sigma - 1e-9))};
}

} // namespace

WellTempered::WellTempered(const BiasSettings& settings)
    : temperatures_(settings, false), axis_(grid(settings)), sigma_(settings.sigma), height_(settings.height),
      gamma_(settings.gamma), tempering_((settings.gamma - 1.0) * settings.boltzmann * settings.temperature),
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

Json::Object WellTempered::state() const {
  auto state = temperatures_.state();
  state.erase("umbrellas");
  state.erase("free");
  state.erase("bridge");
  state.insert_or_assign("sigma", Json(sigma_));
  state.emplace("height", Json(height_));
  state.emplace("gamma", Json(gamma_));
  const auto& range = axis_.range();
  state.emplace("order_grid", to_json({range.low, range.high, static_cast<double>(range.n)}));
  state.emplace("potential", to_json(potential_));
  state.emplace("mean_potential", to_json(mean_.values()));
  return state;
}

void WellTempered::restore(const Json::Object& state) {
  const StateReader reader(state);
  const auto& range = axis_.range();
  reader.require_same("order_grid", {range.low, range.high, static_cast<double>(range.n)}, "range or sigma");
  auto of_temperatures = state;
  of_temperatures.insert_or_assign("umbrellas", Json(Json::Array{}));
  temperatures_.restore(of_temperatures);
  potential_ = reader.numbers("potential", potential_.size());
  mean_.restore(reader.has("mean_potential") ? reader.numbers("mean_potential", potential_.size())
                                             : potential_);
}

} // namespace unnp::momt
