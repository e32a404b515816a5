#include "expanded_ensemble.h"

#include "requirements.h"

#include "unnp/momt/state_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace unnp::momt {

namespace {

// Terms this much smaller than the largest do not change the last digit of a sum.
constexpr double negligible = 45.0;

std::vector<double> umbrella_centres(const OrderAxis& axis) {
  const auto n = static_cast<int>(std::ceil(axis.width() / axis.sigma - 1e-9)) + 1;
  std::vector<double> centres(static_cast<std::size_t>(n));
  for (int m = 0; m < n; ++m)
    centres[m] = axis.low + axis.width() * m / (n - 1);
  return centres;
}

bool within(const std::pair<double, double>& bridge, double temperature) {
  const double rounding = 1e-6 * temperature; // of what is written as text
  return temperature >= bridge.first - rounding && temperature <= bridge.second + rounding;
}

} // namespace

std::span<const Keyword<OpesSettings>> OpesSettings::keywords() {
  static constexpr Keyword<OpesSettings> all[] = {
      {"observe", [](OpesSettings& s, Words& w) { s.observe = w.count(0); }},
      {"memory", [](OpesSettings& s, Words& w) { s.memory = w.number(); }},
      {"free", [](OpesSettings& s, Words& w) { s.free = w.number(); }},
      {"bridge", [](OpesSettings& s, Words& w) { s.bridge = w.pair(); }},
      {"barrier", [](OpesSettings& s, Words& w) { s.barrier = w.number(); }},
  };
  return all;
}

void OpesSettings::check(const Ensemble& ensemble) const {
  momt::check(ensemble);
  require(observe >= 0, "observe cannot be negative.");
  require(barrier >= 0.0 && memory >= 0.0 && free >= 0.0 && free < 1.0,
          "barrier and memory cannot be negative, and free is a share from 0 to below 1.");
  const auto n_temperatures = static_cast<double>(ensemble.temperatures.size());
  if (ensemble.order)
    check_sigma(*ensemble.order);
  require_size(
      n_temperatures * (ensemble.order ? ensemble.order->width() / ensemble.order->sigma + 2.0 : 1.0),
      "states (temperatures times umbrellas)", "take a larger sigma or fewer temperatures in temps.");
  if (ensemble.order)
    check_bridge(ensemble);
}

void OpesSettings::check_bridge(const Ensemble& ensemble) const {
  const auto bridged = bridge_of(ensemble);
  require(bridged.first <= bridged.second, "bridge takes TLO THI with TLO <= THI.");
  const auto n = std::ranges::count_if(ensemble.temperatures, [&](double t) { return within(bridged, t); });
  require(n > 0,
          "none of the temperatures of temps lies between the two of bridge, so that nothing leads from one "
          "phase to the other.");
  require(free > 0.0 || n == std::ssize(ensemble.temperatures),
          "temperatures outside bridge have no umbrellas, and with free 0 no samples at all: give free above "
          "0, or bridge TMIN TMAX.");
}

std::pair<double, double> OpesSettings::bridge_of(const Ensemble& ensemble) const {
  const auto& temperatures = ensemble.temperatures;
  const bool others_have_samples = free > 0.0 && temperatures.size() > 1;
  return bridge.value_or(
      std::pair{others_have_samples ? ensemble.temperature : temperatures.front(), temperatures.back()});
}

std::unique_ptr<Bias> OpesSettings::make_bias(const Ensemble& ensemble) const {
  check(ensemble);
  return std::make_unique<ExpandedEnsemble>(ensemble, *this, ensemble.order.has_value());
}

ExpandedEnsemble::ExpandedEnsemble(const Ensemble& ensemble, const OpesSettings& settings,
                                   bool with_umbrellas)
    : thermal_energy_(ensemble.thermal_energy()), barrier_(settings.barrier), memory_(settings.memory),
      observe_(settings.observe), temperatures_(ensemble.temperatures) {
  for (const double temperature : temperatures_)
    rates_.push_back(1.0 / (ensemble.boltzmann * temperature) - 1.0 / thermal_energy_);
  if (const auto& axis = ensemble.order)
    middle_ = 0.5 * (axis->low + axis->high);
  if (with_umbrellas) {
    umbrellas_ = umbrella_centres(*ensemble.order);
    curvature_ = 1.0 / (ensemble.order->sigma * ensemble.order->sigma);
    free_ = settings.free;
    const auto [low, high] = settings.bridge_of(ensemble);
    bridge_ = {low, high};
  }
  make_states();
  umbrella_terms_.assign(umbrellas_.size() + 1, 0.0);
  free_energies_.assign(states_.size(), 0.0);
  exponents_.resize(states_.size());
}

bool ExpandedEnsemble::has_umbrellas(double temperature) const {
  return !umbrellas_.empty() && within({bridge_[0], bridge_[1]}, temperature);
}

void ExpandedEnsemble::make_states() {
  const double free = umbrellas_.empty() ? 1.0 : free_;
  const auto n_bridges =
      static_cast<double>(std::ranges::count_if(temperatures_, [&](double t) { return has_umbrellas(t); }));
  const double natural = std::log(free / static_cast<double>(temperatures_.size()));
  const double bridge = std::log((1.0 - free) / (n_bridges * static_cast<double>(umbrellas_.size())));
  for (std::size_t l = 0; l < temperatures_.size(); ++l) {
    if (has_umbrellas(temperatures_[l]))
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
                     {"sigma", Json(sigma())},
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
  reader.require_same("sigma", {sigma()}, "sigma");
  reader.require_same("free", {free_}, "free");
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
