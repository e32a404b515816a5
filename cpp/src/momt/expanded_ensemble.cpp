#include "expanded_ensemble.h"

#include "unnp/momt/state_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace unnp::momt {

namespace {

// Terms this much smaller than the largest do not change the last digit of a sum.
constexpr double negligible = 45.0;

std::vector<double> umbrella_centres(const BiasSettings& settings) {
  if (!settings.has_order)
    return {};
  const auto n =
      static_cast<int>(std::ceil((settings.order_high - settings.order_low) / settings.sigma - 1e-9)) + 1;
  std::vector<double> centres(static_cast<std::size_t>(n));
  for (int m = 0; m < n; ++m)
    centres[m] = settings.order_low + (settings.order_high - settings.order_low) * m / (n - 1);
  return centres;
}

} // namespace

ExpandedEnsemble::ExpandedEnsemble(const BiasSettings& settings)
    : thermal_energy_(settings.boltzmann * settings.temperature), barrier_(settings.barrier),
      memory_(settings.memory), observe_(settings.observe), temperatures_(settings.temperatures),
      umbrellas_(umbrella_centres(settings)) {
  for (const double temperature : temperatures_)
    rates_.push_back(1.0 / (settings.boltzmann * temperature) - 1.0 / thermal_energy_);
  if (!umbrellas_.empty()) {
    curvature_ = 1.0 / (settings.sigma * settings.sigma);
    free_ = settings.free;
  }
  share_out();
  umbrella_terms_.assign(n_columns(), 0.0);
  free_energies_.assign(rates_.size() * n_columns(), 0.0);
  exponents_.resize(free_energies_.size());
}

void ExpandedEnsemble::share_out() {
  const auto n_temperatures = static_cast<double>(rates_.size());
  const auto n_umbrellas = static_cast<double>(umbrellas_.size());
  log_shares_.assign(umbrellas_.size(), std::log((1.0 - free_) / (n_temperatures * n_umbrellas)));
  if (umbrellas_.empty())
    log_shares_.push_back(-std::log(n_temperatures));
  else if (free_ > 0.0)
    log_shares_.push_back(std::log(free_ / n_temperatures));
}

void ExpandedEnsemble::exponents(double enthalpy, double order) const {
  for (std::size_t m = 0; m < umbrellas_.size(); ++m)
    umbrella_terms_[m] = -0.5 * curvature_ * (order - umbrellas_[m]) * (order - umbrellas_[m]);
  const double b0 = 1.0 / thermal_energy_;
  for (std::size_t l = 0; l < rates_.size(); ++l) {
    const double* const free_energies = &free_energies_[l * n_columns()];
    double* const row = &exponents_[l * n_columns()];
    for (std::size_t m = 0; m < n_columns(); ++m)
      row[m] = umbrella_terms_[m] - rates_[l] * enthalpy + b0 * free_energies[m];
  }
}

BiasValue ExpandedEnsemble::at(double enthalpy, double order) const {
  if (observing())
    return {};
  exponents(enthalpy, order);
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < exponents_.size(); ++k) {
    exponents_[k] += log_shares_[k % n_columns()];
    largest = std::max(largest, exponents_[k]);
  }
  double sum = 0.0, rate = 0.0, slope = 0.0;
  for (std::size_t l = 0; l < rates_.size(); ++l) {
    const double* const row = &exponents_[l * n_columns()];
    double of_temperature = 0.0;
    for (std::size_t m = 0; m < n_columns(); ++m) {
      if (row[m] < largest - negligible)
        continue;
      const double weight = std::exp(row[m] - largest);
      of_temperature += weight;
      if (m < umbrellas_.size())
        slope += weight * (order - umbrellas_[m]) * curvature_;
    }
    sum += of_temperature;
    rate += of_temperature * rates_[l];
  }
  return {-thermal_energy_ * (largest + std::log(sum)), thermal_energy_ * rate / sum,
          thermal_energy_ * slope / sum};
}

void ExpandedEnsemble::update(const Sample& sample, std::int64_t passages) {
  if (observing()) {
    observe(sample);
    if (++updates_ == observe_)
      first_guess();
    return;
  }
  ++updates_;
  // The first guess counts as one sample. A short memory at the start lets the bias grow linearly in time
  // until the walkers travel; every passage lengthens it.
  double n = static_cast<double>(updates_ - observe_ + 1);
  if (memory_ > 0.0)
    n = std::min(n, 1.0 + memory_ * static_cast<double>(1 + passages));
  const double b0 = 1.0 / thermal_energy_, past = std::log(n - 1.0);
  const double weight = b0 * (sample.bias - rct_);
  const double growth = thermal_energy_ * std::log1p(std::exp(weight - past));
  exponents(sample.enthalpy, sample.order);
  for (std::size_t k = 0; k < free_energies_.size(); ++k) {
    const double share = exponents_[k] + weight - past;
    free_energies_[k] += growth - thermal_energy_ * (share > -negligible ? std::log1p(std::exp(share)) : 0.0);
  }
  rct_ += growth + thermal_energy_ * std::log1p(-1.0 / n);
}

void ExpandedEnsemble::observe(const Sample& sample) {
  const double change = sample.enthalpy - observed_.mean_enthalpy;
  observed_.count += 1.0;
  observed_.mean_enthalpy += change / observed_.count;
  observed_.square += change * (sample.enthalpy - observed_.mean_enthalpy);
  observed_.mean_order += (sample.order - observed_.mean_order) / observed_.count;
}

// b0 DF_l to second order in b_l - b0; umbrellas that were not seen are held to be `barrier` away.
void ExpandedEnsemble::first_guess() {
  const double variance = observed_.square / observed_.count;
  for (std::size_t l = 0; l < rates_.size(); ++l) {
    const double thermal = rates_[l] * observed_.mean_enthalpy - 0.5 * rates_[l] * rates_[l] * variance;
    for (std::size_t m = 0; m < n_columns(); ++m) {
      const double away = m < umbrellas_.size() ? observed_.mean_order - umbrellas_[m] : 0.0;
      free_energies_[l * n_columns() + m] =
          thermal_energy_ * (thermal + std::min(0.5 * curvature_ * away * away, barrier_));
    }
  }
}

Json::Object ExpandedEnsemble::state() const {
  Json::Object state{{"temperatures", to_json(temperatures_)},
                     {"umbrellas", to_json(umbrellas_)},
                     {"sigma", Json(curvature_ > 0.0 ? 1.0 / std::sqrt(curvature_) : 0.0)},
                     {"free", Json(free_)},
                     {"free_energies", to_json(free_energies_, n_columns())},
                     {"updates", Json(static_cast<double>(updates_))},
                     {"rct", Json(rct_)}};
  if (observing())
    state.emplace("observed", to_json({observed_.count, observed_.mean_enthalpy, observed_.square,
                                       observed_.mean_order}));
  return state;
}

void ExpandedEnsemble::restore(const Json::Object& state) {
  const StateReader reader(state);
  reader.require_same("temperatures", temperatures_, "temps");
  reader.require_same("umbrellas", umbrellas_, "range, sigma or order");
  if (!umbrellas_.empty())
    reader.require_same("sigma", {1.0 / std::sqrt(curvature_)}, "sigma");
  if (reader.has("free"))
    reader.require_same("free", {free_}, "free");
  free_energies_ = reader.numbers("free_energies", free_energies_.size());
  updates_ = reader.count("updates");
  rct_ = reader.number("rct");
  if (reader.has("observed")) {
    const auto sums = reader.numbers("observed", 4);
    observed_ = {sums[0], sums[1], sums[2], sums[3]};
    if (!observing()) {
      observe_ = updates_; // fewer are asked for than were observed: they are enough
      if (observed_.count > 0.0)
        first_guess();
    }
  } else if (observing()) {
    observe_ = 0; // it comes with free energies: nothing is left to guess
  }
}

} // namespace unnp::momt
