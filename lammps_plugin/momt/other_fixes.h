// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <optional>

namespace LAMMPS_NS {
class Fix;
class LAMMPS;
} // namespace LAMMPS_NS

namespace unnp_lammps::momt {

/// Throws unnp::Error where another fix would not see the bias, would be scaled with it, or samples another
/// ensemble than fix momt assumes.
void check_other_fixes(LAMMPS_NS::LAMMPS& lmp, const LAMMPS_NS::Fix& momt,
                       const std::optional<double>& pressure);

/// Throws unnp::Error where a thermostat holds another temperature than T0. Thermostats know theirs only
/// after their first step.
void check_thermostats(LAMMPS_NS::LAMMPS& lmp, double temperature);

} // namespace unnp_lammps::momt
