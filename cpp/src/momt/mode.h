#pragma once

#include "unnp/momt/modes.h"

#include <algorithm>
#include <span>

namespace unnp::momt {

/// A keyword of a mode, and how its values get into the settings.
template <class Settings>
struct Keyword {
  const char* name;
  void (*set)(Settings&, Words&);
};

/// The mode of a struct of settings, which has
///
///     static constexpr const char* name;
///     static std::span<const Keyword<Settings>> keywords();
///     std::unique_ptr<Bias> make_bias(const Ensemble&) const;
template <class Settings>
class ModeOf final : public Mode {
public:
  std::string name() const override { return Settings::name; }

  std::vector<std::string> keywords() const override {
    std::vector<std::string> names;
    for (const auto& keyword : Settings::keywords())
      names.emplace_back(keyword.name);
    return names;
  }

  bool read(const std::string& keyword, Words& words) override {
    const auto all = Settings::keywords();
    const auto found = std::ranges::find(all, keyword, &Keyword<Settings>::name);
    if (found == all.end())
      return false;
    found->set(settings_, words);
    return true;
  }

  std::unique_ptr<Bias> make_bias(const Ensemble& ensemble) const override {
    return settings_.make_bias(ensemble);
  }

private:
  Settings settings_;
};

} // namespace unnp::momt
