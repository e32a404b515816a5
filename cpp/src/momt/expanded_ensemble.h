#pragma once

#include "unnp/momt/bias.h"

namespace unnp::momt {

/// The expanded ensemble of Invernizzi, Piaggi and Parrinello, Phys. Rev. X 10, 041034 (2020): every
/// temperature T_l together with every umbrella s_m, or with none, gets its share p_m of the samples under
///
///     Vb(H, s) = -k T0 ln sum_lm p_m exp(-Du_lm(H, s) + b0 DF_lm),
///     Du_lm = (b_l - b0) H + (s - s_m)^2 / (2 sigma^2),  b = 1/kT,  the last term 0 without umbrella,
///
/// with free energies DF_lm that are learnt as running averages.
class ExpandedEnsemble final : public Bias {
public:
  /// Without `has_order` there are no umbrellas and Vb depends on H alone.
  explicit ExpandedEnsemble(const BiasSettings& settings);

  BiasValue at(double enthalpy, double order) const override;
  void update(const Sample& sample, std::int64_t passages) override;
  Json::Object state() const override;
  void restore(const Json::Object& state) override;
  double rct() const override { return rct_; }

private:
  struct Observed {
    double count = 0.0, mean_enthalpy = 0.0, square = 0.0, mean_order = 0.0;
  };

  /// Writes -Du_lm + b0 DF_lm of all states to `exponents_`.
  void exponents(double enthalpy, double order) const;
  void share_out();
  void observe(const Sample& sample);
  void first_guess();
  std::size_t n_columns() const { return log_shares_.size(); }
  bool observing() const { return updates_ < observe_; }

  double thermal_energy_, barrier_, memory_, free_ = 0.0, curvature_ = 0.0;
  std::int64_t observe_;
  std::vector<double> temperatures_, rates_, umbrellas_; // rates: b_l - b0
  std::vector<double> log_shares_;    // ln p_m of the umbrellas, then of no umbrella where there is that
  std::vector<double> free_energies_; // DF_lm [l * n_columns + m]
  mutable std::vector<double> exponents_, umbrella_terms_;
  Observed observed_;
  std::int64_t updates_ = 0;
  double rct_ = 0.0;
};

} // namespace unnp::momt
