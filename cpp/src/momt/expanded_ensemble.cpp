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

ExpandedEnsemble::ExpandedEnsemble(const BiasSettings& settings, bool with_umbrellas)
    : thermal_energy_(settings.boltzmann * settings.temperature), barrier_(settings.barrier),
      memory_(settings.memory), observe_(settings.observe), temperatures_(settings.temperatures),
      middle_(0.5 * (settings.order_low + settings.order_high)) {
  for (const double temperature : temperatures_)
    rates_.push_back(1.0 / (settings.boltzmann * temperature) - 1.0 / thermal_energy_);
  if (with_umbrellas) {
    umbrellas_ = umbrella_centres(settings);
    curvature_ = 1.0 / (settings.sigma * settings.sigma);
    free_ = settings.free;
    bridge_ = {settings.bridge_low, settings.bridge_high};
  }
  make_states(settings);
  umbrella_terms_.assign(umbrellas_.size() + 1, 0.0);
  free_energies_.assign(states_.size(), 0.0);
  exponents_.resize(states_.size());
}

void ExpandedEnsemble::make_states(const BiasSettings& settings) {
  const double free = umbrellas_.empty() ? 1.0 : free_;
  const auto n_bridges = static_cast<double>(
      std::ranges::count_if(temperatures_, [&](double t) { return settings.bridges(t); }));
  const double natural = std::log(free / static_cast<double>(temperatures_.size()));
  const double bridge = std::log((1.0 - free) / (n_bridges * static_cast<double>(umbrellas_.size())));
  for (std::size_t l = 0; l < temperatures_.size(); ++l) {
    if (settings.bridges(temperatures_[l]))
      for (std::size_t m = 0; m < umbrellas_.size(); ++m)
        states_.push_back({l, m, bridge});
    if (free > 0.0)
      states_.push_back({l, umbrellas_.size(), natural});
  }
}

void ExpandedEnsemble::exponents(double enthalpy, double order) const {
  for (std::size_t m = 0; m < umbrellas_.size(); ++m)
    umbrella_terms_[m] = -0.5 * curvature_ * (order - umbrellas_[m]) * (order - umbrellas_[m]);
  const double b0 = 1.0 / thermal_energy_;
  for (std::size_t k = 0; k < states_.size(); ++k)
    exponents_[k] = umbrella_terms_[states_[k].umbrella] - rates_[states_[k].temperature] * enthalpy +
                    b0 * free_energies_[k];
}

BiasValue ExpandedEnsemble::at(double enthalpy, double order) const {
  if (observing())
    return {};
  exponents(enthalpy, order);
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < states_.size(); ++k) {
    exponents_[k] += states_[k].log_share;
    largest = std::max(largest, exponents_[k]);
  }
  double sum = 0.0, rate = 0.0, slope = 0.0;
  for (std::size_t k = 0; k < states_.size(); ++k) {
    if (exponents_[k] < largest - negligible)
      continue;
    const auto [l, m, share] = states_[k];
    const double weight = std::exp(exponents_[k] - largest);
    sum += weight;
    rate += weight * rates_[l];
    if (m < umbrellas_.size())
      slope += weight * (order - umbrellas_[m]) * curvature_;
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
  for (std::size_t k = 0; k < states_.size(); ++k) {
    const double share = exponents_[k] + weight - past;
    free_energies_[k] += growth - thermal_energy_ * (share > -negligible ? std::log1p(std::exp(share)) : 0.0);
  }
  rct_ += growth + thermal_energy_ * std::log1p(-1.0 / n);
}

void ExpandedEnsemble::observe(const Sample& sample) {
  auto& phase = observed_[sample.order > middle_ ? 1 : 0];
  const double change = sample.enthalpy - phase.mean_enthalpy;
  phase.count += 1.0;
  phase.mean_enthalpy += change / phase.count;
  phase.square += change * (sample.enthalpy - phase.mean_enthalpy);
  phase.mean_order += (sample.order - phase.mean_order) / phase.count;
}

// b0 DF_l to second order in b_l - b0; umbrellas that were not seen are held to be `barrier` away.
double ExpandedEnsemble::guess(const Observed& phase, const State& state) const {
  const double rate = rates_[state.temperature], variance = phase.square / phase.count;
  const double away =
      state.umbrella < umbrellas_.size() ? phase.mean_order - umbrellas_[state.umbrella] : 0.0;
  return rate * phase.mean_enthalpy - 0.5 * rate * rate * variance +
         std::min(0.5 * curvature_ * away * away, barrier_);
}

// Where both phases were seen they are held to be equally stable at T0.
void ExpandedEnsemble::first_guess() {
  for (std::size_t k = 0; k < states_.size(); ++k) {
    std::vector<double> guesses;
    for (const auto& phase : observed_)
      if (phase.count > 0.0)
        guesses.push_back(guess(phase, states_[k]));
    const double lowest = *std::ranges::min_element(guesses);
    double sum = 0.0;
    for (const double value : guesses)
      sum += std::exp(lowest - value);
    free_energies_[k] = thermal_energy_ * (lowest - std::log(sum / static_cast<double>(guesses.size())));
  }
}

Json ExpandedEnsemble::free_energies() const {
  std::vector<Json::Array> rows(temperatures_.size());
  for (std::size_t k = 0; k < states_.size(); ++k)
    rows[states_[k].temperature].emplace_back(free_energies_[k]);
  Json::Array all;
  for (auto& row : rows)
    all.emplace_back(std::move(row));
  return Json(std::move(all));
}

Json::Object ExpandedEnsemble::state() const {
  Json::Object state{{"temperatures", to_json(temperatures_)},
                     {"umbrellas", to_json(umbrellas_)},
                     {"sigma", Json(curvature_ > 0.0 ? 1.0 / std::sqrt(curvature_) : 0.0)},
                     {"free", Json(free_)},
                     {"bridge", to_json(bridge_)},
                     {"free_energies", free_energies()},
                     {"updates", Json(static_cast<double>(updates_))},
                     {"rct", Json(rct_)}};
  if (observing()) {
    std::vector<double> sums;
    for (const auto& phase : observed_)
      sums.insert(sums.end(), {phase.count, phase.mean_enthalpy, phase.square, phase.mean_order});
    state.emplace("observed", to_json(sums, 4));
  }
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
  if (reader.has("bridge"))
    reader.require_same("bridge", bridge_, "bridge");
  free_energies_ = reader.numbers("free_energies", free_energies_.size());
  updates_ = reader.count("updates");
  rct_ = reader.number("rct");
  if (reader.has("observed")) {
    const auto sums = reader.numbers("observed", 8);
    for (std::size_t p = 0; p < observed_.size(); ++p)
      observed_[p] = {sums[4 * p], sums[4 * p + 1], sums[4 * p + 2], sums[4 * p + 3]};
    if (!observing()) {
      observe_ = updates_; // fewer are asked for than were observed: they are enough
      if (observed_[0].count + observed_[1].count > 0.0)
        first_guess();
    }
  } else if (observing()) {
    observe_ = 0; // it comes with free energies: nothing is left to guess
  }
}

} // namespace unnp::momt
