#include "check.h"

#include "momt/expanded_ensemble.h"
#include "momt/wang_landau.h"
#include "momt/well_tempered.h"

#include <cmath>
#include <functional>
#include <map>
#include <random>

using unnp::momt::Bias;
using unnp::momt::Ensemble;
using unnp::momt::GridSettings;
using unnp::momt::HillsSettings;
using unnp::momt::Modes;
using unnp::momt::OpesSettings;
using unnp::momt::Words;

namespace {

constexpr double boltzmann = 8.617333262e-5;

Ensemble ensemble(double sigma = 0.05) {
  return {.boltzmann = boltzmann,
          .temperature = 900.0,
          .temperatures = {650.0, 800.0, 1000.0, 1400.0},
          .order = unnp::momt::OrderAxis{.low = 0.0, .high = 0.9, .sigma = sigma}};
}

OpesSettings opes() {
  return {.observe = 20, .memory = 50.0, .free = 0.3, .barrier = 10.0, .bridge = std::pair{800.0, 1400.0}};
}

HillsSettings hills() {
  return {.observe = 20, .memory = 50.0, .height = 0.02, .gamma = 20.0};
}

GridSettings grid() {
  return {.enthalpy = {-110.0, -95.0, 15}, .tilt = 4.0, .bins = 12, .increment = 0.3};
}

const std::map<std::string, std::function<std::unique_ptr<Bias>()>> modes{
    {"opes", [] { return opes().make_bias(ensemble()); }},
    {"wt", [] { return hills().make_bias(ensemble()); }},
    {"wl", [] { return grid().make_bias(ensemble()); }},
};

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

} // namespace

TEST(momt_derivatives_are_those_of_the_energy) {
  for (const auto& [mode, make] : modes) {
    const auto bias = make();
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
  const auto bias = opes().make_bias(ensemble());
  teach(*bias, 500, 2);
  for (double enthalpy = -200.0; enthalpy < 0.0; enthalpy += 7.0) {
    const double alpha = 1.0 + bias->at(enthalpy, 0.3).per_enthalpy;
    CHECK(alpha > 900.0 / 1400.0 - 1e-12 && alpha < 900.0 / 650.0 + 1e-12);
  }
}

TEST(momt_opes_free_energies_are_weighted_averages) {
  // With all updates remembered the recursion is -kT0 ln of the mean of exp(-Du) with weights exp(b0 Vb), up
  // to the first guess, which counts as one sample.
  auto given = opes();
  given.observe = 1;
  given.memory = 0.0;
  auto of_enthalpy = ensemble();
  of_enthalpy.order.reset();
  const auto bias = given.make_bias(of_enthalpy);
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
  for (const auto& [mode, make] : modes)
    for (const int n_updates : {7, 300}) {
      const auto bias = make(), again = make();
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
  auto given = opes();
  given.observe = 2000;
  const auto both = given.make_bias(ensemble()), crystal = given.make_bias(ensemble()),
             liquid = given.make_bias(ensemble());
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
    const auto bias = modes.at(mode)();
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
  CHECK_ERROR(Modes().choose("ops"), "Did you mean 'opes'");
  auto no_grid = grid();
  no_grid.enthalpy.n = 0;
  CHECK_ERROR(no_grid.make_bias(ensemble()), "enthalpy HMIN HMAX N");
  auto no_tempering = hills();
  no_tempering.gamma = 1.0;
  CHECK_ERROR(no_tempering.make_bias(ensemble()), "gamma above 1");
  CHECK_ERROR(opes().make_bias(ensemble(2.0)), "sigma");
  CHECK_ERROR(opes().make_bias(ensemble(1e-9)), "larger sigma");
  CHECK_ERROR(hills().make_bias(ensemble(1e-9)), "points of hills");
  auto fine = grid();
  fine.bins = 1'000'000'000;
  CHECK_ERROR(fine.make_bias(ensemble()), "smaller numbers");
  auto nowhere = opes();
  nowhere.bridge = {1100.0, 1300.0};
  CHECK_ERROR(nowhere.make_bias(ensemble()), "none of the temperatures");
  auto without_samples = opes();
  without_samples.free = 0.0;
  CHECK_ERROR(without_samples.make_bias(ensemble()), "give free above 0");
  const auto bias = opes().make_bias(ensemble());
  auto hotter = ensemble();
  hotter.temperatures.back() = 1500.0;
  CHECK_ERROR(opes().make_bias(hotter)->restore(bias->state()), "other values of temps");
  CHECK_ERROR(grid().make_bias(ensemble())->restore(bias->state()), "has no 'enthalpy_grid'");
}

TEST(momt_states_lack_nothing) {
  for (const auto& [mode, make] : modes) {
    const auto state = make()->state();
    for (const auto& [member, value] : state) {
      auto incomplete = state;
      incomplete.erase(member);
      if (member != "observed") // what was seen is known while it is not yet a first guess
        CHECK_ERROR(make()->restore(incomplete), "has no '" + member + "'");
    }
  }
}

TEST(momt_modes_take_their_keywords) {
  const std::vector<std::string> text{"observe", "3", "gamma", "8", "enthalpy", "-5", "5", "many"};
  Words words(text);
  Modes all;
  CHECK(all.chosen().name() == "opes");
  for (int n = 0; n < 2; ++n)
    CHECK(all.read(words.keyword(), words));
  CHECK(!all.read("order", words));
  CHECK_ERROR(all.read(words.keyword(), words), "'enthalpy' takes a whole number from 1, not 'many'");
  all.choose("wt"); // after its keywords, of which it shares one with another mode
  const auto bias = all.chosen().make_bias(ensemble());
  CHECK(*bias->state().at("hills").object()->at("gamma").number() == 8.0);
  for (int n = 0; n < 4; ++n)
    bias->update({-100.0, 0.5, 0.0}, 0);
  CHECK(!bias->state().at("temperatures").object()->contains("observed"));
}
