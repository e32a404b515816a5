// SPDX-License-Identifier: GPL-2.0-only
#include "order_parameter.h"

#include "bragg_amplitude.h"
#include "steinhardt.h"
#include "structure_factor.h"

namespace unnp_lammps::momt {

std::unique_ptr<OrderParameter> make_order_parameter(LAMMPS_NS::LAMMPS* lmp,
                                                     const std::vector<std::string>& words) {
  if (words.front() == "q6")
    return std::make_unique<Steinhardt>(lmp, words);
  if (words.front() == "fk")
    return std::make_unique<BraggAmplitude>(lmp, words);
  return std::make_unique<StructureFactor>(lmp, words);
}

} // namespace unnp_lammps::momt
