// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "../line_file.h"
#include "order_parameter.h"
#include "settings.h"
#include "walkers.h"

#include "unnp/momt/bias.h"

#include "fix.h"

#include <functional>
#include <optional>

namespace LAMMPS_NS {

/// Multi-order multi-thermal sampling: adds a bias Vb(H, s) of the enthalpy and an order parameter to the
/// energy.
///
///     F_i = alpha f_i - dVb/ds grad_i s,   alpha = 1 + dVb/dH = T0 / T_eff
class FixMomt : public Fix {
public:
  FixMomt(LAMMPS* lmp, int narg, char** arg);
  ~FixMomt() override;

  int setmask() override;
  void post_constructor() override;
  void init() override;
  void init_list(int id, NeighList* list) override;
  void setup(int vflag) override;
  void post_force(int vflag) override;
  void post_run() override;

  double compute_scalar() override;
  double compute_vector(int n) override;
  int modify_param(int narg, char** arg) override;

  void write_restart(FILE* file) override;
  void restart(char* buffer) override;

private:
  enum class Basin { unknown, liquid, crystal };

  void measure();
  bool frozen() const;
  void learn();
  bool runs_out_of_time();
  void apply(int vflag);
  void count_passage();
  double effective_temperature() const { return settings_.temperature / (1.0 + value_.per_enthalpy); }

  void check_system();
  void check_fixes();
  void check_fix_before(const Fix& other) const;
  void check_fix_after(Fix& other) const;
  void check_thermostats();
  void check_bias();

  std::string order_words() const;
  std::string state_text() const;
  void restore_text(const std::string& text, bool with_freeze);
  void read_start_file();
  void write_state();
  void check_state_file();
  void open_log();
  void write_log();
  /// Runs `action` and ends LAMMPS with its message, on all ranks alike, where it throws on any.
  void agree(const std::function<void()>& action);

  unnp_lammps::momt::Settings settings_;
  std::unique_ptr<unnp_lammps::momt::OrderParameter> order_;
  std::unique_ptr<unnp::momt::Bias> bias_;
  std::unique_ptr<unnp_lammps::momt::Walkers> walkers_;
  std::pair<double, double> basins_{0.0, 0.0};
  class Compute* energy_ = nullptr;
  class Compute* pressure_ = nullptr;
  double reference_pressure_ = 0.0; // P0 as energy per volume

  double potential_ = 0.0, volume_ = 0.0, enthalpy_ = 0.0, s_ = 0.0;
  unnp::momt::BiasValue value_;
  Basin basin_ = Basin::unknown;
  bigint passages_ = 0, all_passages_ = 0, updates_ = 0;
  bigint n_atoms_;
  bool targets_checked_ = false, frozen_ = false, continued_ = false;
  double last_learnt_ = 0.0;                 // wall time [s]
  std::optional<unnp_lammps::LineFile> log_; // on rank 0
  bigint last_logged_ = -1;
};

} // namespace LAMMPS_NS
