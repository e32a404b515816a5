// SPDX-License-Identifier: GPL-2.0-only
#include "settings.h"

#include "unnp/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace unnp_lammps::momt {

namespace {

using Words = std::vector<std::string>;

/// The words of a command, taken one after the other.
class Reader {
public:
  explicit Reader(const Words& words) : words_(words) {}

  bool at_end() const { return at_ == words_.size(); }
  const std::string& keyword() { return keyword_ = words_[at_++]; }

  const std::string& word() {
    if (at_end())
      throw unnp::Error("the keyword '" + keyword_ + "' needs more values.");
    return words_[at_++];
  }

  std::size_t position() const { return at_; }
  std::string words_from(std::size_t begin) const {
    std::string text;
    for (std::size_t i = begin; i < at_; ++i)
      text += words_[i] + ' ';
    return text;
  }

  double number() { return parse_number(keyword_, word()); }
  std::int64_t count(std::int64_t lowest) { return parse_count(keyword_, word(), lowest); }
  int small_count(std::int64_t lowest) {
    const auto value = count(lowest);
    if (value > 1'000'000)
      throw unnp::Error("the keyword '" + keyword_ + "' does not take a number as large as " +
                        std::to_string(value) + ".");
    return static_cast<int>(value);
  }

private:
  const Words& words_;
  std::size_t at_ = 0;
  std::string keyword_;
};

/// A word that names what kind of thing follows, then its numbers or, for sk and fk, the lattice and its
/// numbers.
Words take_order(Reader& reader) {
  Words order{reader.word()};
  if (order[0] == "none")
    return {};
  if (order[0] == "q6") {
    order.push_back(reader.word());
    order.push_back(reader.word());
    return order;
  }
  if (order[0] != "sk" && order[0] != "fk")
    throw unnp::Error("there is no order parameter '" + order[0] + "'; there are none, fk, q6, sk." +
                      unnp::did_you_mean(order[0], {"none", "fk", "q6", "sk"}));
  order.push_back(reader.word());
  std::size_t n_numbers = 3;
  if (order[1] == "list") {
    order.push_back(reader.word());
    const auto n_triplets = parse_count("order", order[2], 1);
    if (n_triplets > 100'000)
      throw unnp::Error("the keyword 'order' does not take as many triplets as " + order[2] + ".");
    n_numbers = 3 * static_cast<std::size_t>(n_triplets);
  }
  for (std::size_t i = 0; i < n_numbers; ++i)
    order.push_back(reader.word());
  return order;
}

std::pair<double, double> take_pair(Reader& reader) {
  const double low = reader.number();
  return {low, reader.number()};
}

struct Keyword {
  const char* name;
  void (*set)(Settings&, Reader&);
};

constexpr Keyword keywords[] = {
    {"T0", [](Settings& s, Reader& r) { s.temperature = r.number(); }},
    {"press", [](Settings& s, Reader& r) { s.pressure = r.number(); }},
    {"temps",
     [](Settings& s, Reader& r) {
       std::tie(s.lowest_temperature, s.highest_temperature) = take_pair(r);
       s.n_temperatures = r.small_count(1);
     }},
    {"order", [](Settings& s, Reader& r) { s.order = take_order(r); }},
    {"mode", [](Settings& s, Reader& r) { s.bias.mode = r.word(); }},
    {"pace", [](Settings& s, Reader& r) { s.pace = r.count(1); }},
    {"range", [](Settings& s, Reader& r) { s.range = take_pair(r); }},
    {"basins", [](Settings& s, Reader& r) { s.basins = take_pair(r); }},
    {"bridge", [](Settings& s, Reader& r) { s.bridge = take_pair(r); }},
    {"sigma", [](Settings& s, Reader& r) { s.sigma = r.number(); }},
    {"observe", [](Settings& s, Reader& r) { s.bias.observe = r.count(0); }},
    {"memory", [](Settings& s, Reader& r) { s.bias.memory = r.number(); }},
    {"barrier", [](Settings& s, Reader& r) { s.bias.barrier = r.number(); }},
    {"free", [](Settings& s, Reader& r) { s.bias.free = r.number(); }},
    {"height", [](Settings& s, Reader& r) { s.bias.height = r.number(); }},
    {"gamma", [](Settings& s, Reader& r) { s.bias.gamma = r.number(); }},
    {"enthalpy",
     [](Settings& s, Reader& r) {
       std::tie(s.bias.enthalpy.low, s.bias.enthalpy.high) = take_pair(r);
       s.bias.enthalpy.n = r.small_count(1);
     }},
    {"tilt", [](Settings& s, Reader& r) { s.bias.tilt = r.number(); }},
    {"bins", [](Settings& s, Reader& r) { s.bias.order_bins = r.small_count(1); }},
    {"increment", [](Settings& s, Reader& r) { s.bias.increment = r.number(); }},
    {"freeze", [](Settings& s, Reader& r) { s.freeze = r.count(0); }},
    {"start", [](Settings& s, Reader& r) { s.start_file = r.word(); }},
    {"state",
     [](Settings& s, Reader& r) {
       s.state_file = r.word();
       s.state_every = r.count(1);
     }},
    {"log",
     [](Settings& s, Reader& r) {
       s.log_file = r.word();
       s.log_stride = r.count(1);
     }},
    {"walkers",
     [](Settings& s, Reader& r) {
       const auto& word = r.word();
       if (word != "shared" && word != "alone")
         throw unnp::Error("the keyword 'walkers' takes shared or alone, not '" + word + "'.");
       s.shares_walkers = word == "shared";
     }},
};

void set_keyword(Settings& settings, Reader& reader) {
  const auto begin = reader.position();
  const auto name = reader.keyword();
  Words known;
  for (const auto& keyword : keywords) {
    if (name == keyword.name) {
      keyword.set(settings, reader);
      if (name != "log" && name != "state" && name != "start")
        settings.physics += reader.words_from(begin);
      return;
    }
    known.emplace_back(keyword.name);
  }
  throw unnp::Error("unknown keyword '" + name + "'; " + unnp::join(known) + " are known." +
                    unnp::did_you_mean(name, known));
}

void check(const Settings& settings) {
  if (settings.temperature <= 0.0)
    throw unnp::Error("give the temperature of the thermostat, T0, above 0.");
  if (settings.n_temperatures == 0)
    throw unnp::Error("give the range of temperatures to cover: temps TMIN TMAX N.");
  if (settings.lowest_temperature <= 0.0 || settings.lowest_temperature > settings.highest_temperature)
    throw unnp::Error("temps takes TMIN TMAX N with 0 < TMIN <= TMAX.");
  if (settings.temperature < settings.lowest_temperature ||
      settings.temperature > settings.highest_temperature)
    throw unnp::Error(
        "T0 has to lie within temps TMIN TMAX: forces are scaled by T0/T for these T, so that a T0 "
        "outside only makes the time step too long or wastes it.");
  if (settings.basins && settings.basins->first >= settings.basins->second)
    throw unnp::Error("basins takes LO HI with LO < HI.");
  if (settings.bridge && settings.bridge->first > settings.bridge->second)
    throw unnp::Error("bridge takes TLO THI with TLO <= THI.");
}

} // namespace

double parse_number(const std::string& keyword, const std::string& word) {
  double value = 0.0;
  const char* const begin = word.data() + (word.starts_with('+') ? 1 : 0);
  const auto [end, status] = std::from_chars(begin, word.data() + word.size(), value);
  if (status != std::errc() || end != word.data() + word.size() || !std::isfinite(value))
    throw unnp::Error("the keyword '" + keyword + "' takes a number, not '" + word + "'.");
  return value;
}

std::int64_t parse_count(const std::string& keyword, const std::string& word, std::int64_t lowest) {
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (status != std::errc() || end != word.data() + word.size() || value < lowest)
    throw unnp::Error("the keyword '" + keyword + "' takes a whole number from " + std::to_string(lowest) +
                      ", not '" + word + "'.");
  return value;
}

Settings parse_settings(const Words& words) {
  Settings settings;
  auto& bias = settings.bias;
  bias.observe = 100;
  bias.barrier = 10.0;
  bias.memory = 200.0;
  bias.gamma = 40.0;
  bias.free = 0.3;
  bias.order_bins = 30;
  bias.increment = 0.3;
  Reader reader(words);
  while (!reader.at_end())
    set_keyword(settings, reader);
  check(settings);
  return settings;
}

} // namespace unnp_lammps::momt
