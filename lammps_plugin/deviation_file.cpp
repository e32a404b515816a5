// SPDX-License-Identifier: GPL-2.0-only
#include "deviation_file.h"

#include "fmt/format.h"

namespace unnp_lammps {

DeviationFile::DeviationFile(const std::string& path) : file_("the deviation file", path, false) {
  file_.add(
      "# step max_force_deviation min_force_deviation mean_force_deviation energy_per_atom_deviation\n");
}

void DeviationFile::write(std::int64_t step, const Deviations& deviations, double energy_unit) {
  const auto line = fmt::format("{} {:.10g} {:.10g} {:.10g} {:.10g}\n", step,
                                deviations.largest * energy_unit, deviations.smallest * energy_unit,
                                deviations.mean * energy_unit, deviations.of_energy * energy_unit);
  if (written_step_ == step)
    file_.replace_last(line);
  else
    file_.add(line);
  written_step_ = step;
}

} // namespace unnp_lammps
