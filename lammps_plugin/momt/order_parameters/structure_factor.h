// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "../order_parameter.h"

namespace unnp_lammps::momt {

/// The words of `sk`, which other functions of the structure factor share.
MakeOrder read_structure_factor(unnp::momt::Words& words);

} // namespace unnp_lammps::momt
