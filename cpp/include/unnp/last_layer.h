#pragma once

#include "unnp/potential.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace unnp {

/// What the training data leave open about a model, as `unnp last-layer` has written it.
///
/// With the features x of an atom and C = sum_train x x^T + lambda 1 the deviation of its prediction is
/// s sqrt(x^T C^-1 x) (F. Bigi, S. Chong, M. Ceriotti, F. Grasselli, Mach. Learn.: Sci. Technol. 5, 045018
/// (2024)).
class LastLayer {
public:
  /// Reads and checks a file; throws Error, also where it was written for another model.
  static LastLayer load(const std::string& path, const Potential& potential);

  /// Numbers of the features of an atom.
  std::int64_t n_features() const { return n_features_; }
  /// s of "energy" [eV/atom] or "forces" [eV/A]; NaN where the file has none.
  double scale(const std::string& quantity) const;
  /// sqrt(x^T C^-1 x) of each row x of features, (n, n_features) row by row.
  std::vector<double> rigidity(std::span<const double> features) const;

private:
  std::int64_t n_features_ = 0;
  std::vector<double> factor_; ///< (n_features, n_features) row-major, lower triangle L of C = L L^T
  std::map<std::string, double> scales_;
};

} // namespace unnp
