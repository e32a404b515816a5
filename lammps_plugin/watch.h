// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "capture.h"
#include "deviation_file.h"
#include "estimator.h"
#include "pair_settings.h"

#include "pointers.h"

#include <memory>
#include <optional>
#include <string>

namespace unnp_lammps {

/// Looks at how far the model may be off while a run goes on: writes it down, captures frames, stops the run.
class Watch : protected LAMMPS_NS::Pointers {
public:
  /// Opens the files. Throws unnp::Error on rank 0 where one cannot be written.
  Watch(LAMMPS_NS::LAMMPS* lmp, const PairSettings& settings, std::unique_ptr<Estimator> estimator,
        double energy_unit);
  /// After all ranks have been made. Collective.
  void begin();

  /// Whether an evaluation of the present step has to tell the deviations. The last one of a step is that of
  /// the step itself, after the trials of Monte Carlo fixes, and replaces what was made of the ones before.
  bool is_due() const;
  Estimator& estimator() { return *estimator_; }
  void use(std::unique_ptr<Estimator> estimator) { estimator_ = std::move(estimator); }
  /// Looks at the evaluation that the estimator made. Throws unnp::Error where the disk is full. Collective.
  void look(unnp::Halo& halo, const Evaluated& evaluated);

  /// What came of it in a run, in words, on all ranks; ends LAMMPS where other partitions may wait for this
  /// one.
  std::string finish();

private:
  bool writes_now() const;
  bool may_stop_now() const;
  void stop_where_reached(double largest);

  std::unique_ptr<Estimator> estimator_;
  double energy_unit_;
  std::int64_t deviation_every_;
  std::optional<DeviationFile> file_; ///< on rank 0
  std::optional<Capture> capture_;
  std::optional<StopSettings> stop_;
  std::optional<std::int64_t> stopped_at_; ///< step
  double stopped_by_ = 0.0;                ///< deviation, units of LAMMPS
};

} // namespace unnp_lammps
