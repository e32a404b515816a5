#include "unnp/momt/modes.h"

#include "expanded_ensemble.h"
#include "mode.h"
#include "wang_landau.h"
#include "well_tempered.h"

#include "unnp/error.h"

#include <algorithm>

namespace unnp::momt {

namespace {

/// A line for each mode.
template <class Settings>
std::unique_ptr<Mode> mode_of() {
  return std::make_unique<ModeOf<Settings>>();
}
constexpr std::unique_ptr<Mode> (*table[])() = {
    mode_of<OpesSettings>,
    mode_of<HillsSettings>,
    mode_of<GridSettings>,
};

} // namespace

Modes::Modes() {
  for (const auto make : table)
    modes_.push_back(make());
}

void Modes::choose(const std::string& name) {
  const auto found = std::ranges::find(modes_, name, [](const auto& mode) { return mode->name(); });
  if (found == modes_.end()) {
    std::vector<std::string> names;
    for (const auto& mode : modes_)
      names.push_back(mode->name());
    throw Error("there is no mode '" + name + "'; there are " + join(names) + "." +
                did_you_mean(name, names));
  }
  chosen_ = static_cast<std::size_t>(found - modes_.begin());
}

std::vector<std::string> Modes::keywords() const {
  std::vector<std::string> all;
  for (const auto& mode : modes_)
    for (auto& keyword : mode->keywords())
      if (std::ranges::find(all, keyword) == all.end())
        all.push_back(std::move(keyword));
  return all;
}

bool Modes::read(const std::string& keyword, Words& words) {
  const Words values = words;
  bool found = false;
  for (const auto& mode : modes_) {
    Words taken = values;
    if (!mode->read(keyword, taken))
      continue;
    words = taken;
    found = true;
  }
  return found;
}

} // namespace unnp::momt
