#include "check.h"

#include "unnp/momt/bias.h"

#include <cmath>
#include <random>

using unnp::momt::Bias;
using unnp::momt::BiasSettings;
using unnp::momt::make_bias;

namespace {

constexpr double boltzmann = 8.617333262e-5;

BiasSettings settings(const std::string& mode) {
  BiasSettings settings;
  settings.mode = mode;
  settings.boltzmann = boltzmann;
  settings.temperature = 900.0;
  settings.temperatures = {650.0, 800.0, 1000.0, 1400.0};
  settings.order_high = 0.9;
  settings.sigma = 0.05;
  settings.observe = 20;
  settings.free = 0.3;
  settings.bridge_low = 800.0;
  settings.bridge_high = 1400.0;
  settings.barrier = 10.0;
  settings.memory = 50.0;
  settings.height = 0.02;
  settings.gamma = 20.0;
  settings.enthalpy = {-110.0, -95.0, 15};
  settings.tilt = 4.0;
  settings.order_bins = 12;
  settings.increment = 0.3;
  return settings;
}

/// A walker that jumps between two phases and around in them.
void teach(Bias& bias, int n_updates, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<> noise;
  for (int n = 0; n < n_updates; ++n) {
    const bool crystal = (n / 25) % 2 == 0;
    const double enthalpy = (crystal ? -106.0 : -99.0) + noise(random);
    const double order = std::abs((crystal ? 0.7 : 0.02) + 0.03 * noise(random));
    bias.update({enthalpy, order, bias.at(enthalpy, order).energy}, n / 25);
  }
}

const std::vector<std::string> modes{"opes", "wt", "wl"};

} // namespace

TEST(momt_derivatives_are_those_of_the_energy) {
  for (const auto& mode : modes) {
    const auto bias = make_bias(settings(mode));
    teach(*bias, 300, 1);
    // Points within the range and beyond each of its ends.
    for (const double enthalpy : {-140.0, -108.3, -101.7, -90.0})
      for (const double order : {-0.1, 0.001, 0.4, 0.95}) {
        const double step = 1e-5;
        const auto value = bias->at(enthalpy, order);
        const double by_enthalpy =
            (bias->at(enthalpy + step, order).energy - bias->at(enthalpy - step, order).energy) / (2 * step);
        const double by_order =
            (bias->at(enthalpy, order + step).energy - bias->at(enthalpy, order - step).energy) / (2 * step);
        CHECK(std::abs(value.per_enthalpy - by_enthalpy) < 1e-7);
        CHECK(std::abs(value.per_order - by_order) < 1e-5 * (1.0 + std::abs(by_order)));
      }
  }
}

TEST(momt_opes_scales_forces_by_temperatures_of_the_range) {
  const auto bias = make_bias(settings("opes"));
  teach(*bias, 500, 2);
  for (double enthalpy = -200.0; enthalpy < 0.0; enthalpy += 7.0) {
    const double alpha = 1.0 + bias->at(enthalpy, 0.3).per_enthalpy;
    CHECK(alpha > 900.0 / 1400.0 - 1e-12 && alpha < 900.0 / 650.0 + 1e-12);
  }
}

TEST(momt_opes_free_energies_are_weighted_averages) {
  // With all updates remembered the recursion is -kT0 ln of the mean of exp(-Du) with weights exp(b0 Vb), up
  // to the first guess, which counts as one sample.
  auto given = settings("opes");
  given.has_order = false;
  given.observe = 1;
  given.memory = 0.0;
  const auto bias = make_bias(given);
  bias->update({-100.0, 0.0, 0.0}, 0);
  const double b0 = 1.0 / (boltzmann * 900.0), b1 = 1.0 / (boltzmann * 1400.0);
  double weights = 1.0, sum = std::exp(-(b1 - b0) * -100.0 - 0.0); // the guess at the observed enthalpy
  std::mt19937_64 random(3);
  std::normal_distribution<> noise(-100.0, 0.5);
  for (int n = 0; n < 200; ++n) {
    const double enthalpy = noise(random), energy = bias->at(enthalpy, 0.0).energy;
    bias->update({enthalpy, 0.0, energy}, 0);
    weights += std::exp(b0 * energy);
    sum += std::exp(b0 * energy - (b1 - b0) * enthalpy);
  }
  const auto state = bias->state();
  const auto& rows = *state.at("free_energies").array();
  const double learnt = *rows.back().array()->front().number();
  CHECK(std::abs(learnt + std::log(sum / weights) / b0) < 1e-9);
}

TEST(momt_state_is_the_whole_of_what_was_learnt) {
  for (const auto& mode : modes)
    for (const int n_updates : {7, 300}) {
      const auto bias = make_bias(settings(mode)), again = make_bias(settings(mode));
      teach(*bias, n_updates, 4);
      again->restore(*unnp::Json::parse(unnp::Json(bias->state()).dump()).object());
      teach(*bias, 40, 5);
      teach(*again, 40, 5);
      for (const bool frozen : {false, true}) {
        bias->freeze(frozen);
        again->freeze(frozen);
        const auto value = bias->at(-103.0, 0.3), same = again->at(-103.0, 0.3);
        CHECK(value.energy == same.energy && value.per_order == same.per_order);
      }
    }
}

TEST(momt_walkers_that_begin_in_both_phases_give_a_first_guess) {
  // The variance that counts is that within a phase; what lies between them would be taken for heat.
  auto given = settings("opes");
  given.observe = 2000;
  const auto both = make_bias(given), crystal = make_bias(given), liquid = make_bias(given);
  std::mt19937_64 random(7);
  std::normal_distribution<> noise;
  for (int n = 0; n < 2000; ++n) {
    const unnp::momt::Sample solid{-106.0 + 0.5 * noise(random), 0.7, 0.0},
        melt{-96.0 + 0.5 * noise(random), 0.02, 0.0};
    both->update(n % 2 == 0 ? solid : melt, 0);
    crystal->update(solid, 0);
    liquid->update(melt, 0);
  }
  const auto alpha = [](const Bias& bias, double enthalpy, double order) {
    return 1.0 + bias.at(enthalpy, order).per_enthalpy;
  };
  CHECK(std::abs(alpha(*both, -108.0, 0.7) - alpha(*crystal, -108.0, 0.7)) < 0.02);
  CHECK(std::abs(alpha(*both, -94.0, 0.02) - alpha(*liquid, -94.0, 0.02)) < 0.02);
}

TEST(momt_freezing_takes_the_swing_out_of_hills_and_increments) {
  // The last hills lie where the walker was last; in their mean it counts for little.
  for (const auto& mode : {"wt", "wl"}) {
    const auto bias = make_bias(settings(mode));
    teach(*bias, 2000, 6);
    const auto step = [&] { return bias->at(-106.0, 0.7).energy - bias->at(-99.0, 0.02).energy; };
    const double before = step();
    for (int n = 0; n < 60; ++n)
      bias->update({-106.0, 0.7, 0.0}, 80);
    const double swung = step() - before;
    bias->freeze(true);
    const double frozen = step() - before;
    CHECK(swung > 0.0 && std::abs(frozen) < 0.5 * swung);
    bias->freeze(false);
    CHECK(step() - before == swung);
  }
}

TEST(momt_refuses_impossible_settings_and_foreign_states) {
  auto given = settings("ops");
  CHECK_ERROR(make_bias(given), "Did you mean 'opes'");
  given = settings("wl");
  given.enthalpy.n = 0;
  CHECK_ERROR(make_bias(given), "enthalpy HMIN HMAX N");
  given = settings("wt");
  given.gamma = 1.0;
  CHECK_ERROR(make_bias(given), "gamma above 1");
  given = settings("opes");
  given.sigma = 2.0;
  CHECK_ERROR(make_bias(given), "sigma");
  given = settings("opes");
  given.sigma = 1e-9;
  CHECK_ERROR(make_bias(given), "larger sigma");
  given = settings("wt");
  given.sigma = 1e-9;
  CHECK_ERROR(make_bias(given), "points of hills");
  given = settings("wl");
  given.order_bins = 1'000'000'000;
  CHECK_ERROR(make_bias(given), "smaller numbers");
  given = settings("opes");
  given.bridge_low = 1100.0;
  given.bridge_high = 1300.0;
  CHECK_ERROR(make_bias(given), "none of the temperatures");
  given = settings("opes");
  given.free = 0.0;
  CHECK_ERROR(make_bias(given), "give free above 0");
  given = settings("opes");
  const auto bias = make_bias(given);
  given.temperatures.back() = 1500.0;
  CHECK_ERROR(make_bias(given)->restore(bias->state()), "other values of temps");
  CHECK_ERROR(make_bias(settings("wl"))->restore(bias->state()), "has no 'enthalpy_grid'");
}
