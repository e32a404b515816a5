// SPDX-License-Identifier: GPL-2.0-only
#include "unit_circle.h"

// One binary for all processors: the loader picks the widest vectors that the processor has.
#if defined(__x86_64__) && defined(__gnuc_linux__) || defined(__x86_64__) && defined(__GLIBC__)
#define UNNP_FOR_EACH_PROCESSOR __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define UNNP_FOR_EACH_PROCESSOR
#endif

namespace unnp_lammps::momt {

namespace {

// Adding and taking away 1.5 * 2^52 rounds to the nearest whole number without a call that loops could not
// have.
constexpr double rounder = 6755399441055744.0;

// sin(2 pi t) / t and cos(2 pi t) in t^2 for |t| <= 1/8: the Taylor series, cut where its next term is below
// 1e-17.
constexpr double sine[] = {6.283185307179586,  -41.341702240399755, 81.60524927607504,  -76.70585975306136,
                           42.058693944897655, -15.094642576822990, 3.8199525848482821, -0.71812230177850051};
constexpr double cosine[] = {1.0,
                             -19.739208802178716,
                             64.939394022668296,
                             -85.456817206693728,
                             60.244641371876661,
                             -26.426256783374399,
                             7.9035363713184690,
                             -1.7143907110886723,
                             0.28200596845579096};

} // namespace

UNNP_FOR_EACH_PROCESSOR
void unit_circle(const std::array<double, 3>& a, const double* origin, const double* x, std::size_t n_atoms,
                 double* cosines, double* sines) {
  const double ax = a[0], ay = a[1], az = a[2];
  const double ox = origin[0], oy = origin[1], oz = origin[2];
  for (std::size_t i = 0; i < n_atoms; ++i) {
    const double turns = ax * (x[3 * i] - ox) + ay * (x[3 * i + 1] - oy) + az * (x[3 * i + 2] - oz);
    // Down to an eighth of a turn about the nearest quarter.
    const double quarter = (4.0 * turns + rounder) - rounder;
    const double t = turns - 0.25 * quarter, u = t * t;
    double s = sine[7], c = cosine[8];
    for (int k = 6; k >= 0; --k)
      s = s * u + sine[k];
    for (int k = 7; k >= 0; --k)
      c = c * u + cosine[k];
    s *= t;
    // quarter mod 4 as one of -2, -1, 0, 1, 2; its cosine and sine without a branch.
    const double q = quarter - 4.0 * ((0.25 * quarter + rounder) - rounder);
    const double q2 = q * q;
    const double cq = 1.0 - q2 * (7.0 - q2) * (1.0 / 6.0), sq = q * (4.0 - q2) * (1.0 / 3.0);
    cosines[i] = c * cq - s * sq;
    sines[i] = s * cq + c * sq;
  }
}

UNNP_FOR_EACH_PROCESSOR
void multiply(double* real, double* imaginary, const double* c, const double* s, bool conjugate,
              std::size_t n_atoms) {
  const double sign = conjugate ? -1.0 : 1.0;
  for (std::size_t i = 0; i < n_atoms; ++i) {
    const double re = real[i] * c[i] - imaginary[i] * sign * s[i];
    imaginary[i] = real[i] * sign * s[i] + imaginary[i] * c[i];
    real[i] = re;
  }
}

UNNP_FOR_EACH_PROCESSOR
double sum(const double* values, std::size_t n_atoms) {
  // Eight sums side by side, as a vector unit has them.
  double lanes[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n_atoms; i += 8)
    for (int k = 0; k < 8; ++k)
      lanes[k] += values[i + k];
  double total = 0.0;
  for (const double lane : lanes)
    total += lane;
  for (; i < n_atoms; ++i)
    total += values[i];
  return total;
}

UNNP_FOR_EACH_PROCESSOR
void add_along(const std::array<double, 3>& direction, double by_real, double by_imaginary,
               const double* real, const double* imaginary, std::size_t n_atoms, double* f) {
  const double x = direction[0], y = direction[1], z = direction[2];
  for (std::size_t i = 0; i < n_atoms; ++i) {
    const double along = by_real * real[i] + by_imaginary * imaginary[i];
    f[3 * i] += along * x;
    f[3 * i + 1] += along * y;
    f[3 * i + 2] += along * z;
  }
}

} // namespace unnp_lammps::momt
