// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "order_parameter.h"
#include "passages.h"
#include "sample_log.h"
#include "saved_state.h"
#include "settings.h"
#include "state_file.h"
#include "walkers.h"

#include "unnp/momt/bias.h"

#include "fix.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

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
  void set_flags();
  void find_computes();
  void check_system();

  void measure();
  bool frozen() const;
  void look_up_bias();
  void learn();
  bool runs_out_of_time();
  void check_bias();
  void check_targets();
  void apply(int vflag);
  double effective_temperature() const { return settings_.temperature / (1.0 + value_.per_enthalpy); }

  unnp_lammps::momt::Identity identity() const;
  std::string state() const;
  void restore(const std::string& state, bool with_freeze);
  void write_state();
  void open_log();
  void write_log();

  /// Runs `action` and ends LAMMPS with its message, on all ranks alike, where it throws on any.
  void agree(const std::function<void()>& action, const std::string& about = "");
  /// The same for what this rank does alone.
  void alone(const std::function<void()>& action);

  unnp_lammps::momt::Settings settings_;
  std::unique_ptr<unnp_lammps::momt::OrderParameter> order_;
  std::unique_ptr<unnp::momt::Bias> bias_;
  std::unique_ptr<unnp_lammps::momt::Walkers> walkers_;
  std::optional<unnp_lammps::momt::StateFile> state_file_;
  std::optional<unnp_lammps::momt::SampleLog> log_; // on rank 0
  class Compute* energy_ = nullptr;
  class Compute* pressure_ = nullptr;
  double reference_pressure_ = 0.0; // P0 as energy per volume

  double potential_ = 0.0, volume_ = 0.0, enthalpy_ = 0.0, s_ = 0.0;
  unnp::momt::BiasValue value_;
  unnp_lammps::momt::Passages passages_;
  std::int64_t all_passages_ = 0; // of all walkers
  bigint n_atoms_;
  bool targets_checked_ = false, frozen_ = false, continued_ = false;
  double last_learnt_ = 0.0; // wall time [s]
};

} // namespace LAMMPS_NS
