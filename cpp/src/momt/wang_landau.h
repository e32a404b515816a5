#pragma once

#include "late_mean.h"
#include "mode.h"
#include "spline_axis.h"

namespace unnp::momt {

/// Mode wl.
struct GridSettings {
  static constexpr const char* name = "wl";

  Range enthalpy;         ///< grid of H + tilt s
  double tilt = 0.0;      ///< how much of the order parameter is in it
  int bins = 30;          ///< of the order parameter
  double increment = 0.3; ///< first increment of ln n

  static std::span<const Keyword<GridSettings>> keywords();
  void check(const Ensemble& ensemble) const;
  std::unique_ptr<Bias> make_bias(const Ensemble& ensemble) const;
  /// Without order parameter there is one bin of it.
  Range order_of(const Ensemble& ensemble) const;
};

/// A smooth Wang-Landau estimate of the density of states (Wang and Landau, Phys. Rev. Lett. 86, 2050
/// (2001)):
///
///     Vb(H, s) = k T0 ln n(h, s) - h + constant,   h = H + C s,
///     ln n(h, s) = prior(h) + sum_ij c_ij B_i(h) B_j(s),
///
/// with cubic B-splines B as wide as the bins, where the tilt C lets the grid follow the line on which solid
/// and liquid of one temperature lie; n is the density of states times exp(C s / k T0). Every update adds f
/// B_i B_j to c; f is halved whenever all bins have been visited again after a round trip between the phases,
/// and in the end follows 1/t (Belardinelli and Pereyra, Phys. Rev. E 75, 046701 (2007)). The usual
/// condition, a histogram flat to 80 %, is out of reach: ln n falls steeply within a bin at the edge of what
/// can be reached, in two dimensions all around. The prior runs from the lowest to the highest temperature
/// over the range of h, and beyond the upper end goes on at the highest; below the lower one it gets hot
/// soon, which is a wall.
class WangLandau final : public Bias {
public:
  WangLandau(const Ensemble& ensemble, const GridSettings& settings);

  BiasValue at(double enthalpy, double order) const override;
  void freeze(bool frozen) override { frozen_ = frozen; }
  void update(const Sample& sample, std::int64_t passages) override;
  Json::Object state() const override;
  void restore(const Json::Object& state) override;
  std::int64_t updates() const override { return updates_; }
  bool needs_freezing() const override { return true; }

private:
  double level(double enthalpy, double order) const { return enthalpy + tilt_ * order; }
  /// ln n of the prior and its derivative, zero at the middle of the range.
  std::pair<double, double> prior(double h) const;
  void count(double h, double order);
  /// Whether every bin that is not a rare one was visited since f was halved last.
  bool swept() const;
  /// Whether the walkers have gone to and fro between the phases since then.
  bool travelled(std::int64_t passages) const;
  void lower_increment(std::int64_t passages);

  double thermal_energy_, low_energy_, high_energy_; // k T0, k Tmin, k Tmax
  SplineAxis enthalpy_, order_;
  std::vector<double> coefficients_, histogram_, visits_; // histogram: since f was halved; visits: ever
  LateMean mean_;                                         // of the coefficients
  double tilt_, increment_, middle_;
  bool has_order_;
  std::int64_t updates_ = 0, passages_then_ = 0; // then: when f was halved last
  bool follows_time_ = false, frozen_ = false;
};

} // namespace unnp::momt
