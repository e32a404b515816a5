// SPDX-License-Identifier: GPL-2.0-only
#include "../order_parameter.h"

#include "unnp/error.h"

#include "atom.h"
#include "force.h"
#include "neigh_list.h"
#include "pair.h"

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

namespace unnp_lammps::momt {

namespace {

using Vector = std::array<double, 3>;
using std::numbers::pi;

// P_6 and its derivatives: Y_6m is norm[m] (d^m P_6 / dz^m)(z) (x + iy)^m on the unit sphere.
constexpr std::array<double, 7> legendre_6{-5.0 / 16, 0.0, 105.0 / 16, 0.0, -315.0 / 16, 0.0, 231.0 / 16};

/// legendre_derivative[m] holds the coefficients of d^m P_6 / dz^m, m = 0 .. 7.
constexpr auto legendre_derivative = [] {
  std::array<std::array<double, 7>, 8> table{};
  table[0] = legendre_6;
  for (int m = 1; m < 8; ++m)
    for (int power = 1; power < 7; ++power)
      table[m][power - 1] = power * table[m - 1][power];
  return table;
}();

/// d^m P_6 / dz^m, of which every other coefficient is zero.
template <int m>
double legendre(double z) {
  double value = 0.0;
  for (int power = 6 - m; power >= 0; power -= 2)
    value = value * z * z + legendre_derivative[m][power];
  return m % 2 == 0 ? value : value * z;
}

std::array<double, 8> legendre_derivatives(double z) {
  return {legendre<0>(z), legendre<1>(z), legendre<2>(z), legendre<3>(z),
          legendre<4>(z), legendre<5>(z), legendre<6>(z), 0.0};
}

const std::array<double, 7>& norms() {
  static const auto table = [] {
    std::array<double, 7> values{};
    for (int m = 0; m < 7; ++m)
      values[m] = std::sqrt(13.0 / (4.0 * pi) * std::tgamma(7.0 - m) / std::tgamma(7.0 + m));
    return values;
  }();
  return table;
}

/// Y_6m of a unit vector, m = 0 .. 6.
std::array<std::complex<double>, 7> harmonics(const Vector& u) {
  std::array<std::complex<double>, 7> values;
  std::complex<double> power = 1.0;
  const auto p = legendre_derivatives(u[2]);
  for (int m = 0; m < 7; ++m) {
    values[m] = norms()[m] * p[m] * power;
    power *= std::complex<double>(u[0], u[1]);
  }
  return values;
}

/// Gradient of sum_m Re(conj(c_m) Y_6m) with respect to x, y, z of the polynomials, taken as free.
Vector polynomial_gradient(const Vector& u, const std::array<std::complex<double>, 7>& c) {
  Vector gradient{};
  const std::complex<double> xy(u[0], u[1]);
  std::complex<double> power = 1.0, lower = 0.0; // (x + iy)^m and ^(m-1)
  const auto p = legendre_derivatives(u[2]);
  for (int m = 0; m < 7; ++m) {
    const auto factor = std::conj(c[m]) * norms()[m];
    const auto along_x = factor * static_cast<double>(m) * lower * p[m];
    gradient[0] += along_x.real();
    gradient[1] -= along_x.imag(); // d/dy = i d/dx
    gradient[2] += (factor * power).real() * p[m + 1];
    lower = power;
    power *= xy;
  }
  return gradient;
}

/// The weight of a pair and its derivative.
std::pair<double, double> switching(double r, double inner, double outer) {
  if (r <= inner)
    return {1.0, 0.0};
  const double t = (r - inner) / (outer - inner), rest = 1.0 - t;
  return {1.0 - t * t * t * (10.0 - t * (15.0 - 6.0 * t)), -30.0 * t * t * rest * rest / (outer - inner)};
}

/// Weight of |Q_6m|^2 in the sum over all 13 m.
double multiplicity(int m) {
  return m == 0 ? 1.0 : 2.0;
}

/// The global bond-orientational order of Steinhardt, Nelson and Ronchetti, Phys. Rev. B 28, 784 (1983), with
/// smooth weights: s = sqrt(4 pi/13 sum_m |Q_6m|^2), Q_6m = sum_ij w(r_ij) Y_6m(r_ij) / sum_ij w(r_ij), where
/// w falls from 1 at RIN to 0 at ROUT as 1 - 10 t^3 + 15 t^4 - 6 t^5. Does not change with rotations; fcc
/// 0.575, bcc 0.511.
class Steinhardt final : public OrderParameter {
public:
  Steinhardt(LAMMPS_NS::LAMMPS* lmp, double inner, double outer)
      : OrderParameter(lmp), inner_(inner), outer_(outer) {}

  OrderDefaults defaults() const override {
    return {.range = {0.0, 0.6}, .basins = {0.15, 0.35}, .sigma = 0.015};
  }
  void check() override;
  bool needs_list() const override { return true; }
  void take_list(LAMMPS_NS::NeighList* list) override { list_ = list; }
  double compute() override;
  std::array<double, 6> add_forces(double slope) override;

private:
  /// Q_60 .. Q_66; those of negative m follow by symmetry.
  using Harmonics = std::array<std::complex<double>, 7>;

  struct Pair {
    int i; // owned atom
    double distance;
    Vector direction; // unit vector to the other atom
  };

  /// Lists the pairs within ROUT of owned atoms, for `compute` and `add_forces`.
  void find_pairs();

  double inner_, outer_;
  LAMMPS_NS::NeighList* list_ = nullptr;
  std::vector<Pair> pairs_;
  Harmonics mean_{};
  double total_weight_ = 0.0, value_ = 0.0;
};

void Steinhardt::check() {
  const double reach = force->pair ? force->pair->cutforce : 0.0;
  if (outer_ > reach)
    throw unnp::Error("order q6 needs neighbours up to " + std::to_string(outer_) +
                      ", but the pair style reaches " + std::to_string(reach) + "; take a smaller ROUT.");
}

void Steinhardt::find_pairs() {
  pairs_.clear();
  const double* const* const x = atom->x;
  for (int index = 0; index < list_->inum; ++index) {
    const int i = list_->ilist[index];
    for (int k = 0; k < list_->numneigh[i]; ++k) {
      const int j = list_->firstneigh[i][k] & NEIGHMASK;
      const Vector r{x[j][0] - x[i][0], x[j][1] - x[i][1], x[j][2] - x[i][2]};
      const double square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
      if (square >= outer_ * outer_)
        continue;
      const double distance = std::sqrt(square);
      pairs_.push_back({i, distance, {r[0] / distance, r[1] / distance, r[2] / distance}});
    }
  }
}

double Steinhardt::compute() {
  std::array<double, 15> mine{}, all{};
  find_pairs();
  for (const auto& pair : pairs_) {
    const double weight = switching(pair.distance, inner_, outer_).first;
    const auto y = harmonics(pair.direction);
    for (int m = 0; m < 7; ++m) {
      mine[2 * m] += weight * y[m].real();
      mine[2 * m + 1] += weight * y[m].imag();
    }
    mine[14] += weight;
  }
  MPI_Allreduce(mine.data(), all.data(), 15, MPI_DOUBLE, MPI_SUM, world);
  total_weight_ = all[14];
  double square = 0.0;
  for (int m = 0; m < 7; ++m) {
    mean_[m] = total_weight_ > 0.0 ? std::complex<double>(all[2 * m], all[2 * m + 1]) / total_weight_ : 0.0;
    square += multiplicity(m) * std::norm(mean_[m]);
  }
  value_ = std::sqrt(4.0 * pi / 13.0 * square);
  return value_;
}

// With A_m = sum w Y_6m and W = sum w: ds = (4 pi/13 s W) [sum_m Re(conj(Q_6m) dA_m) - |Q|^2 dW]. Both
// directions of a pair are in the sums and weigh the same, as Y_6 is even: an atom gets twice what its own
// list gives.
std::array<double, 6> Steinhardt::add_forces(double slope) {
  std::array<double, 6> virial{};
  if (value_ <= 0.0)
    return virial;
  const double scale = slope * 4.0 * pi / (13.0 * value_ * total_weight_);
  const double square = value_ * value_ * 13.0 / (4.0 * pi);
  Harmonics weighted = mean_;
  for (int m = 0; m < 7; ++m)
    weighted[m] *= multiplicity(m);
  double* const* const f = atom->f;
  for (const auto& [i, distance, u] : pairs_) {
    const auto [weight, fall] = switching(distance, inner_, outer_);
    const auto y = harmonics(u);
    double projection = 0.0;
    for (int m = 0; m < 7; ++m)
      projection += (std::conj(weighted[m]) * y[m]).real();
    const auto free = polynomial_gradient(u, weighted);
    const double along = free[0] * u[0] + free[1] * u[1] + free[2] * u[2];
    const double radial = fall * (projection - square);
    Vector g;
    for (int d = 0; d < 3; ++d)
      g[d] = scale * (weight / distance * (free[d] - along * u[d]) + radial * u[d]);
    for (int d = 0; d < 3; ++d)
      f[i][d] += 2.0 * g[d];
    constexpr int components[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}};
    for (int c = 0; c < 6; ++c)
      virial[c] -= g[components[c][0]] * distance * u[components[c][1]];
  }
  return virial;
}

/// q6 RIN ROUT
MakeOrder read(unnp::momt::Words& words) {
  const auto [inner, outer] = words.pair();
  if (inner <= 0.0 || inner >= outer)
    throw unnp::Error(
        "order q6 takes RIN ROUT with 0 < RIN < ROUT: distances between the first and the second "
        "shell of neighbours.");
  return [inner, outer](LAMMPS_NS::LAMMPS* lmp) { return std::make_unique<Steinhardt>(lmp, inner, outer); };
}

const OrderStyle q6("q6", read);

} // namespace

} // namespace unnp_lammps::momt
