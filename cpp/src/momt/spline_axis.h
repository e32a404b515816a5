#pragma once

#include <algorithm>
#include <array>
#include <cmath>

namespace unnp::momt {

/// Equal intervals between two ends.
struct Range {
  double low = 0.0;
  double high = 0.0;
  int n = 0;
};

/// One direction of a grid of uniform cubic B-splines: n intervals carry n + 3 coefficients. Beyond the ends
/// a function goes on as a constant, smoothly, because the outermost coefficients are repeated.
class SplineAxis {
public:
  struct Weights {
    std::array<int, 4> index;
    std::array<double, 4> value, slope;
  };

  SplineAxis() = default;
  explicit SplineAxis(Range range) : range_(range), width_((range.high - range.low) / range.n) {}

  const Range& range() const { return range_; }
  int n_coefficients() const { return range_.n + 3; }

  /// Where the spline of coefficient `i` peaks.
  double centre(int i) const { return range_.low + (i - 1) * width_; }

  /// Interval of a point, the outermost one for a point beyond an end.
  int bin(double x) const { return std::clamp(static_cast<int>((x - range_.low) / width_), 0, range_.n - 1); }

  Weights at(double x) const {
    // Far outside all four coefficients are the same one; the clamp keeps the conversion to int defined.
    const double u = std::clamp((x - range_.low) / width_, -8.0, range_.n + 8.0);
    const double whole = std::floor(u), t = u - whole, r = 1.0 - t;
    Weights weights;
    weights.value = {r * r * r / 6.0, (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
                     (3.0 * r * r * r - 6.0 * r * r + 4.0) / 6.0, t * t * t / 6.0};
    weights.slope = {-0.5 * r * r, 1.5 * t * t - 2.0 * t, 2.0 * r - 1.5 * r * r, 0.5 * t * t};
    for (int k = 0; k < 4; ++k) {
      weights.index[k] = std::clamp(static_cast<int>(whole) + k, 0, n_coefficients() - 1);
      weights.slope[k] /= width_;
    }
    return weights;
  }

private:
  Range range_;
  double width_ = 1.0;
};

} // namespace unnp::momt
