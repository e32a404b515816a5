// harmonics: real spherical harmonics of unit vectors, of all degrees from `first` to `last`.
//
//   Y_lm = N_lm Q_l^|m|(z) A_m(x, y) with Q_l^m = d^m P_l / dz^m,
//   A_m = Re (x + iy)^m for m >= 0 and Im (x + iy)^|m| for m < 0; the sum over m of Y_lm^2 is 2 l + 1
//   layout: degrees one after the other, m = -l ... l
#pragma once

#include "dispatch.h"

namespace unnp::ops {

constexpr int max_degree = 12;

// Where the numbers of degree l, order m >= 0 are in a triangular table.
constexpr int triangular(int l, int m) {
  return l * (l + 1) / 2 + m;
}

template <typename T>
struct HarmonicsIn {
  In<T> u, g;    // (n, 3), (n, K)
  In<T> factors; // N_lm by triangular(l, m)
  int first, last;
};
template <typename T>
struct HarmonicsOut {
  Out<T> value; // (n, K)
  Out<T> u;     // gradient
};

UNNP_DISPATCH(harmonics, HarmonicsIn, HarmonicsOut)

} // namespace unnp::ops
