// SPDX-License-Identifier: GPL-2.0-only
#include "pair_settings.h"

#include "unnp/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace unnp_lammps {

namespace {

using Words = std::vector<std::string>;

std::string one_of(const std::string& keyword, const std::string& value, const Words& allowed) {
  if (std::ranges::find(allowed, value) == allowed.end())
    throw unnp::Error("the keyword '" + keyword + "' does not know '" + value + "'; it takes " +
                      unnp::join(allowed) + "." + unnp::did_you_mean(value, allowed));
  return value;
}

bool is_number(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

void set_device(PairSettings& settings, const std::string* values) {
  const auto& value = values[0];
  const bool numbered = value.starts_with("cuda:") && is_number(value.substr(5));
  settings.device = numbered ? value : one_of("device", value, {"auto", "cpu", "cuda", "cuda:N"});
  if (value == "cuda:N")
    throw unnp::Error("write the number of the GPU for N in 'device cuda:N', as in cuda:0.");
}

void set_halo(PairSettings& settings, const std::string* values) {
  settings.halo = one_of("halo", values[0], {"auto", "exchange", "wide"});
}

void set_dtype(PairSettings& settings, const std::string* values) {
  settings.dtype = one_of("dtype", values[0], {"model", "float32", "float64"});
}

void set_head(PairSettings& settings, const std::string* values) {
  settings.head = values[0];
}

void set_last_layer(PairSettings& settings, const std::string* values) {
  settings.last_layer = values[0];
}

std::int64_t whole_number(const std::string& keyword, const std::string& takes, const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc() || stop != end || number < 1)
    throw unnp::Error("the keyword '" + keyword + "' takes " + takes + " with a whole number from 1, not '" +
                      text + "'.");
  return number;
}

double positive_number(const std::string& keyword, const std::string& takes, const std::string& text) {
  double number = 0.0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc() || stop != end || !std::isfinite(number) || number <= 0.0)
    throw unnp::Error("the keyword '" + keyword + "' takes " + takes +
                      " with a threshold above 0, the largest deviation of a force, not '" + text + "'.");
  return number;
}

void set_deviation(PairSettings& settings, const std::string* values) {
  settings.deviation_file = values[0];
  settings.deviation_every = whole_number("deviation", "FILE EVERY", values[1]);
}

void set_capture(PairSettings& settings, const std::string* values) {
  const std::string takes = "FILE THRESHOLD EVERY";
  auto& capture = settings.capture.emplace();
  capture.file = values[0];
  capture.threshold = positive_number("capture", takes, values[1]);
  capture.every = whole_number("capture", takes, values[2]);
}

CaptureSettings& capture_of(PairSettings& settings, const std::string& keyword) {
  if (!settings.capture)
    throw unnp::Error("the keyword '" + keyword +
                      "' is of the frames that are captured: give it after 'capture FILE THRESHOLD EVERY'.");
  return *settings.capture;
}

void set_apart(PairSettings& settings, const std::string* values) {
  capture_of(settings, "apart").apart = whole_number("apart", "STEPS", values[0]);
}

void set_most(PairSettings& settings, const std::string* values) {
  capture_of(settings, "most").most = whole_number("most", "FRAMES", values[0]);
}

void set_stop(PairSettings& settings, const std::string* values) {
  const std::string takes = "THRESHOLD EVERY";
  settings.stop = {positive_number("stop", takes, values[0]), whole_number("stop", takes, values[1])};
}

struct Keyword {
  const char* name;
  std::size_t n_values;
  void (*set)(PairSettings&, const std::string*);
};

constexpr Keyword keywords[] = {
    {"device", 1, set_device},
    {"halo", 1, set_halo},
    {"dtype", 1, set_dtype},
    {"head", 1, set_head},
    {"last_layer", 1, set_last_layer},
    {"deviation", 2, set_deviation},
    {"capture", 3, set_capture},
    {"apart", 1, set_apart},
    {"most", 1, set_most},
    {"stop", 2, set_stop},
};

const Keyword& find_keyword(const std::string& word) {
  Words known;
  for (const auto& keyword : keywords) {
    if (word == keyword.name)
      return keyword;
    known.emplace_back(keyword.name);
  }
  throw unnp::Error("unknown keyword '" + word + "'; " + unnp::join(known) + " are known." +
                    unnp::did_you_mean(word, known));
}

} // namespace

PairSettings parse_pair_settings(const Words& words) {
  PairSettings settings;
  for (std::size_t at = 0; at < words.size();) {
    const auto& keyword = find_keyword(words[at]);
    if (at + keyword.n_values >= words.size())
      throw unnp::Error(std::string("the keyword '") + keyword.name + "' needs " +
                        std::to_string(keyword.n_values) + (keyword.n_values == 1 ? " value." : " values."));
    keyword.set(settings, &words[at + 1]);
    at += 1 + keyword.n_values;
  }
  return settings;
}

std::vector<int> parse_symbols(const Words& symbols, const Words& elements, int n_types) {
  if (static_cast<int>(symbols.size()) != n_types)
    throw unnp::Error("pair_coeff names " + std::to_string(symbols.size()) + " elements, but there are " +
                      std::to_string(n_types) +
                      " atom types. Give one chemical symbol (or NULL) for each type, after the model file.");
  std::vector<int> species(1, -1);
  for (const auto& symbol : symbols) {
    const auto found = std::ranges::find(elements, symbol);
    if (found == elements.end() && symbol != "NULL")
      throw unnp::Error("the model does not know the element '" + symbol + "'; it knows " +
                        unnp::join(elements) + "." + unnp::did_you_mean(symbol, elements));
    species.push_back(symbol == "NULL" ? -1 : static_cast<int>(found - elements.begin()));
  }
  if (std::ranges::all_of(species, [](int s) { return s < 0; }))
    throw unnp::Error("every type is NULL in pair_coeff; name at least one element.");
  return species;
}

} // namespace unnp_lammps
