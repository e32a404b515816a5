#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace unnp::momt {

/// The mean over time of coefficients that never stop moving, late times counting more: after n updates the
/// k-th has the weight k (k + 1), so that half of all weight lies in the last fifth of the updates and the
/// first half of them have an eighth.
class LateMean {
public:
  explicit LateMean(std::size_t size) : values_(size, 0.0) {}

  /// `n` counts from 1.
  void add(const std::vector<double>& coefficients, std::int64_t n) {
    const double share = 3.0 / (static_cast<double>(n) + 2.0);
    for (std::size_t i = 0; i < values_.size(); ++i)
      values_[i] += share * (coefficients[i] - values_[i]);
  }

  const std::vector<double>& values() const { return values_; }
  void restore(std::vector<double> values) { values_ = std::move(values); }

private:
  std::vector<double> values_;
};

} // namespace unnp::momt
