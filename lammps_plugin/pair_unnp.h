// SPDX-License-Identifier: GPL-2.0-only
#ifndef LMP_PAIR_UNNP_H
#define LMP_PAIR_UNNP_H

#include "closeness.h"
#include "lammps_halo.h"
#include "lammps_system.h"
#include "pair_settings.h"
#include "unnp/last_layer.h"
#include "unnp/potential.h"
#include "watch.h"

#include "pair.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace LAMMPS_NS {

/// `pair_style unnp`: hands LAMMPS' atoms to an exported model and its forces back to LAMMPS.
class PairUnnp : public Pair {
public:
  explicit PairUnnp(LAMMPS* lmp);
  ~PairUnnp() override;

  void settings(int n_words, char** words) override;
  void coeff(int n_words, char** words) override;
  void init_style() override;
  double init_one(int i, int j) override;
  void compute(int eflag, int vflag) override;
  void finish() override;

  void write_restart(FILE* file) override;
  void read_restart(FILE* file) override;
  void write_restart_settings(FILE* file) override;
  void read_restart_settings(FILE* file) override;

  int pack_forward_comm(int n, int* list, double* buffer, int, int*) override;
  void unpack_forward_comm(int n, int first, double* buffer) override;
  int pack_reverse_comm(int n, int first, double* buffer) override;
  void unpack_reverse_comm(int n, int* list, double* buffer) override;
  double memory_usage() override;

private:
  void apply_settings(const std::vector<std::string>& words);
  void load_model();
  void allocate();
  void check_environment();
  void check_neighbour_list();
  void note_float32_minimisation();
  void request_communication();
  void check_deviations();
  std::unique_ptr<unnp_lammps::Estimator> make_estimator() const;
  void open_watch();
  void greet();
  void evaluate(const unnp::System& system);
  void check_step();
  void warn_of_close_atoms();
  void return_ghost_shares();
  void tally();
  void tally_virial();

  std::vector<std::string> settings_words_, coeff_words_;
  unnp_lammps::PairSettings settings_;
  std::string device_;
  unnp_lammps::SystemOptions options_;
  std::optional<unnp::Potential> potential_;
  unnp_lammps::LammpsSystem system_;
  unnp_lammps::Closeness closeness_;
  unnp_lammps::LammpsHalo halo_;
  unnp::HaloRegistration registration_;
  unnp::Evaluation evaluation_;
  std::optional<unnp::LastLayer> last_layer_;
  std::optional<unnp_lammps::Watch> watch_;
  std::int64_t head_ = 0;
  bool needs_halo_ = false;
  bool greeted_ = false, noted_minimisation_ = false;
  bool warned_of_close_atoms_ = false; ///< in this run
  double energy_unit_ = 1.0;           ///< of LAMMPS per eV
  double edge_seconds_ = 0.0;
};

} // namespace LAMMPS_NS

#endif
