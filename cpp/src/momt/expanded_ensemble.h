#pragma once

#include "mode.h"

#include <array>
#include <cmath>
#include <optional>
#include <utility>

namespace unnp::momt {

/// Mode opes.
struct OpesSettings {
  static constexpr const char* name = "opes";

  std::int64_t observe = 100; ///< updates without bias at the start, which give its first guess
  double memory = 200.0;      ///< updates that are remembered at first, 0 for all
  double free = 0.3;          ///< share of the samples that states without umbrella are to get
  double barrier = 10.0;      ///< first guess of the free energy of unseen umbrellas, in k T0
  std::optional<std::pair<double, double>> bridge; ///< temperatures that have umbrellas

  static std::span<const Keyword<OpesSettings>> keywords();
  void check(const Ensemble& ensemble) const;
  void check_bridge(const Ensemble& ensemble) const;
  std::unique_ptr<Bias> make_bias(const Ensemble& ensemble) const;

  /// By default from T0 up: below the melting point umbrellas lead astray. All temperatures have them where
  /// nothing else gives samples to the others.
  std::pair<double, double> bridge_of(const Ensemble& ensemble) const;
};

/// The expanded ensemble of Invernizzi, Piaggi and Parrinello, Phys. Rev. X 10, 041034 (2020): every state, a
/// temperature T_l by itself or together with an umbrella s_m, gets its share p_lm of the samples under
///
///     Vb(H, s) = -k T0 ln sum_lm p_lm exp(-Du_lm(H, s) + b0 DF_lm),
///     Du_lm = (b_l - b0) H + (s - s_m)^2 / (2 sigma^2),  b = 1/kT,  the last term 0 without umbrella,
///
/// with free energies DF_lm that are learnt as running averages.
class ExpandedEnsemble final : public Bias {
public:
  /// Without `with_umbrellas` Vb depends on H alone.
  ExpandedEnsemble(const Ensemble& ensemble, const OpesSettings& settings, bool with_umbrellas);

  BiasValue at(double enthalpy, double order) const override;
  void update(const Sample& sample, std::int64_t passages) override;
  Json::Object state() const override;
  void restore(const Json::Object& state) override;
  double rct() const override { return rct_; }
  std::int64_t updates() const override { return updates_; }

private:
  struct State {
    std::size_t temperature, umbrella; // the umbrella behind the last one is none
    double log_share;                  // ln p_lm
  };

  /// Of one phase: walkers may begin in different ones, whose enthalpies lie too far apart for one variance.
  struct Observed {
    double count = 0.0, mean_enthalpy = 0.0, square = 0.0, mean_order = 0.0;
  };

  bool has_umbrellas(double temperature) const;
  void make_states();
  /// Writes -Du_lm + b0 DF_lm of all states to `exponents_`.
  void exponents(double enthalpy, double order) const;
  void observe(const Sample& sample);
  void first_guess();
  double guess(const Observed& phase, const State& state) const;
  Json free_energies() const;
  bool observing() const { return updates_ < observe_; }
  double sigma() const { return curvature_ > 0.0 ? 1.0 / std::sqrt(curvature_) : 0.0; }

  double thermal_energy_, barrier_, memory_, curvature_ = 0.0;
  std::int64_t observe_;
  std::vector<double> temperatures_, rates_, umbrellas_; // rates: b_l - b0
  std::vector<double> bridge_;                           // lowest and highest temperature with umbrellas
  std::vector<State> states_;                            // by temperature
  std::vector<double> free_energies_;                    // DF of the states
  mutable std::vector<double> exponents_, umbrella_terms_;
  double middle_ = 0.0; // of the range of s, between the phases
  std::array<Observed, 2> observed_;
  std::int64_t updates_ = 0;
  double free_ = 0.0, rct_ = 0.0;
};

} // namespace unnp::momt
