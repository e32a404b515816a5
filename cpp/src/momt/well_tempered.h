#pragma once

#include "expanded_ensemble.h"
#include "late_mean.h"
#include "spline_axis.h"

namespace unnp::momt {

/// Intervals of the grid of the hills per width of a hill: the grid is then not seen.
constexpr int intervals_per_sigma = 4;

/// Mode wt.
struct HillsSettings {
  static constexpr const char* name = "wt";

  std::int64_t observe = 100;   ///< updates without bias of the temperatures, which give its first guess
  double memory = 200.0;        ///< updates that the temperatures remember at first, 0 for all
  std::optional<double> height; ///< of the hills; by default k T0 / 4
  double gamma = 40.0;          ///< bias factor

  static std::span<const Keyword<HillsSettings>> keywords();
  void check(const Ensemble& ensemble) const;
  std::unique_ptr<Bias> make_bias(const Ensemble& ensemble) const;
  double height_of(const Ensemble& ensemble) const;
};

/// An expanded ensemble of temperatures in H plus well-tempered hills in s (Barducci, Bussi and Parrinello,
/// Phys. Rev. Lett. 100, 020603 (2008)): Vb = V_T(H) + V_h(s). A hill of width sigma and height h exp(-V_h(s)
/// / ((gamma - 1) k T0)) is added at every update.
class WellTempered final : public Bias {
public:
  WellTempered(const Ensemble& ensemble, const HillsSettings& settings);

  BiasValue at(double enthalpy, double order) const override;
  void freeze(bool frozen) override { frozen_ = frozen; }
  void update(const Sample& sample, std::int64_t passages) override;
  Json::Object state() const override;
  void restore(const Json::Object& state) override;
  std::int64_t updates() const override { return temperatures_.updates(); }
  double rct() const override { return temperatures_.rct(); }

private:
  BiasValue hills(const std::vector<double>& potential, double order) const;
  std::vector<double> grid() const;

  ExpandedEnsemble temperatures_;
  SplineAxis axis_;
  double sigma_, height_, gamma_, tempering_; // tempering: (gamma - 1) k T0
  std::vector<double> potential_;             // coefficients of the splines
  LateMean mean_;                             // of the potential
  bool frozen_ = false;
};

} // namespace unnp::momt
