// SPDX-License-Identifier: GPL-2.0-only
#include "other_fixes.h"

#include "unnp/error.h"

#include "fix.h"
#include "fmt/format.h"
#include "lammps.h"
#include "modify.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace unnp_lammps::momt {

namespace {

using LAMMPS_NS::Fix;

bool differ(double a, double b) {
  return std::abs(a - b) > 1e-6 * std::abs(b) + 1e-9;
}

bool begins_with_one_of(std::string_view style, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](auto name) { return style.starts_with(name); });
}

bool changes_box(const Fix& fix) {
  return fix.box_change & (Fix::BOX_CHANGE_SIZE | Fix::BOX_CHANGE_SHAPE);
}

std::string name_of(const Fix& fix) {
  return fmt::format("fix {} {}", fix.id, fix.style);
}

void check_moves(const Fix& other) {
  if (begins_with_one_of(other.style, {"atom/swap", "charge/regulation", "gcmc", "hmc", "mol/swap",
                                       "neighbor/swap", "sgcmc", "widom"}))
    throw unnp::Error(name_of(other) + " tries moves by energies without the bias, and the bias would learn "
                                       "from them; leave one of the two out");
}

void check_before(const Fix& other, int mask) {
  if (begins_with_one_of(other.style, {"momt"}))
    throw unnp::Error(fmt::format("there is another one, {}; a system has one bias", other.id));
  if (changes_box(other))
    throw unnp::Error("is defined after the barostat " + name_of(other) +
                      ", which would not see the virial of the bias at the start of a run; define fix momt "
                      "first");
  if (mask & LAMMPS_NS::FixConst::POST_FORCE)
    throw unnp::Error("is defined after " + name_of(other) +
                      ", whose forces it would scale with those of the potential; define fix momt first");
}

// A barostat with another target than the bias assumes makes every reweighted number wrong; so does a
// thermostat.
void check_target(Fix& other, double pressure) {
  constexpr int directions[] = {Fix::BOX_CHANGE_X, Fix::BOX_CHANGE_Y, Fix::BOX_CHANGE_Z};
  for (const char* const name : {"p_start", "p_stop"}) {
    int dimension = -1;
    const auto* const pressures = static_cast<double*>(other.extract(name, dimension));
    for (int k = 0; pressures && dimension == 1 && k < 3; ++k)
      if ((other.box_change & directions[k]) && differ(pressures[k], pressure))
        throw unnp::Error(fmt::format("press is {}, but {} holds the pressure {}; give both the same",
                                      pressure, name_of(other), pressures[k]));
  }
}

void check_after(Fix& other, const std::optional<double>& pressure) {
  if (begins_with_one_of(other.style, {"deform", "press/berendsen", "box/relax"}))
    throw unnp::Error(name_of(other) +
                      " changes the box otherwise than an ensemble at constant pressure does; use fix nph, "
                      "fix npt or fix press/langevin");
  if (pressure && begins_with_one_of(other.style, {"npt", "nph"}))
    check_target(other, *pressure);
}

void check_volume(bool changes, const std::optional<double>& pressure) {
  if (changes && !pressure)
    throw unnp::Error("the volume changes, so that the enthalpy E + P0 V has to be sampled; add  press P0");
  if (!changes && pressure.value_or(0.0) != 0.0)
    throw unnp::Error(
        fmt::format("press {} is given, but no fix changes the volume; add a barostat (fix nph, "
                    "fix npt), or leave press out to sample at constant volume",
                    *pressure));
}

} // namespace

void check_other_fixes(LAMMPS_NS::LAMMPS& lmp, const Fix& momt, const std::optional<double>& pressure) {
  bool before = true, box_changes = false;
  for (auto* const other : lmp.modify->get_fix_list()) {
    if (other == &momt) {
      before = false;
      continue;
    }
    box_changes = box_changes || changes_box(*other);
    check_moves(*other);
    if (before)
      check_before(*other, lmp.modify->fmask[lmp.modify->find_fix(other->id)]);
    else
      check_after(*other, pressure);
  }
  check_volume(box_changes, pressure);
}

void check_thermostats(LAMMPS_NS::LAMMPS& lmp, double temperature) {
  for (auto* const other : lmp.modify->get_fix_list()) {
    if (!begins_with_one_of(other->style,
                            {"nvt", "npt", "langevin", "temp/csvr", "temp/csld", "temp/berendsen"}))
      continue;
    int dimension = -1;
    const auto* const target = static_cast<double*>(other->extract("t_target", dimension));
    if (target && dimension == 0 && differ(*target, temperature))
      throw unnp::Error(fmt::format("T0 is {}, but {} holds the temperature {}; give both the same",
                                    temperature, name_of(*other), *target));
  }
}

} // namespace unnp_lammps::momt
