// SPDX-License-Identifier: GPL-2.0-only
#include "settings.h"

#include "unnp/error.h"

#include <algorithm>
#include <tuple>

namespace unnp_lammps::momt {

namespace {

using unnp::momt::Words;

OutputFile read_file(Words& words) {
  const auto name = words.word();
  return {name, words.count(1)};
}

enum class Belongs { to_physics, to_files };

struct Keyword {
  const char* name;
  void (*set)(Settings&, Words&);
  Belongs belongs = Belongs::to_physics;
};

/// Besides these there are the keywords of the modes.
constexpr Keyword keywords[] = {
    {"T0", [](Settings& s, Words& w) { s.temperature = w.number(); }},
    {"press", [](Settings& s, Words& w) { s.pressure = w.number(); }},
    {"temps",
     [](Settings& s, Words& w) {
       s.temperatures = w.pair();
       s.n_temperatures = w.small_count(1);
     }},
    {"order",
     [](Settings& s, Words& w) {
       const auto begin = w.position();
       s.make_order = read_order(w);
       s.order = w.since(begin);
     }},
    {"mode", [](Settings& s, Words& w) { s.modes.choose(w.word()); }},
    {"pace", [](Settings& s, Words& w) { s.pace = w.count(1); }},
    {"range", [](Settings& s, Words& w) { s.range = w.pair(); }},
    {"basins", [](Settings& s, Words& w) { s.basins = w.pair(); }},
    {"sigma", [](Settings& s, Words& w) { s.sigma = w.number(); }},
    {"freeze", [](Settings& s, Words& w) { s.freeze = w.count(0); }},
    {"start", [](Settings& s, Words& w) { s.start_file = w.word(); }, Belongs::to_files},
    {"state", [](Settings& s, Words& w) { s.state = read_file(w); }, Belongs::to_files},
    {"log", [](Settings& s, Words& w) { s.log = read_file(w); }, Belongs::to_files},
    {"walkers",
     [](Settings& s, Words& w) {
       const auto& word = w.word();
       if (word != "shared" && word != "alone")
         throw unnp::Error("the keyword 'walkers' takes shared or alone, not '" + word + "'.");
       s.shares_walkers = word == "shared";
     }},
};

void refuse(const std::string& name, const Settings& settings) {
  auto known = settings.modes.keywords();
  for (const auto& keyword : keywords)
    known.emplace_back(keyword.name);
  throw unnp::Error("unknown keyword '" + name + "'; " + unnp::join(known) + " are known." +
                    unnp::did_you_mean(name, known));
}

void read_keyword(Settings& settings, Words& words) {
  const auto begin = words.position();
  const auto name = words.keyword();
  const auto* const found = std::ranges::find(keywords, name, &Keyword::name);
  const bool is_own = found != std::end(keywords);
  if (is_own)
    found->set(settings, words);
  else if (!settings.modes.read(name, words))
    refuse(name, settings);
  if (!is_own || found->belongs == Belongs::to_physics)
    settings.physics += words.since(begin) + ' ';
}

void check(const Settings& settings) {
  const auto [lowest, highest] = settings.temperatures;
  if (settings.temperature <= 0.0)
    throw unnp::Error("give the temperature of the thermostat, T0, above 0.");
  if (settings.n_temperatures == 0)
    throw unnp::Error("give the range of temperatures to cover: temps TMIN TMAX N.");
  if (lowest <= 0.0 || lowest > highest)
    throw unnp::Error("temps takes TMIN TMAX N with 0 < TMIN <= TMAX.");
  if (settings.temperature < lowest || settings.temperature > highest)
    throw unnp::Error(
        "T0 has to lie within temps TMIN TMAX: forces are scaled by T0/T for these T, so that a T0 "
        "outside only makes the time step too long or wastes it.");
  if (settings.basins && settings.basins->first >= settings.basins->second)
    throw unnp::Error("basins takes LO HI with LO < HI.");
}

} // namespace

Settings parse_settings(const std::vector<std::string>& given) {
  Settings settings;
  Words words(given);
  while (!words.at_end())
    read_keyword(settings, words);
  check(settings);
  return settings;
}

unnp::momt::Ensemble ensemble_of(const Settings& settings, const OrderParameter* order, double boltzmann) {
  unnp::momt::Ensemble ensemble{.boltzmann = boltzmann, .temperature = settings.temperature};
  const auto [lowest, highest] = settings.temperatures;
  const int n = settings.n_temperatures;
  for (int l = 0; l < n; ++l)
    ensemble.temperatures.push_back(lowest + (highest - lowest) * l / std::max(n - 1, 1));
  if (order) {
    const auto defaults = order->defaults();
    const auto [low, high] = settings.range.value_or(defaults.range);
    ensemble.order = {.low = low, .high = high, .sigma = settings.sigma.value_or(defaults.sigma)};
  }
  return ensemble;
}

} // namespace unnp_lammps::momt
