// multipoles: sums of bond weights times spherical harmonics on atoms, for all degrees from `first` on.
//
//   row of atom i: for each channel c, component (l, m): sum w_c Y_lm(u), u pointing away from the atom
#pragma once

#include "dispatch.h"

namespace unnp::ops {

constexpr int max_components = 81; // all of degrees 0 to 8

template <typename T>
struct MultipolesIn {
  In<T> w, y, g; // (bonds, C), (bonds, K), (n, C K)
  int channels, components;
  In<T> sign; // (K): -1 where l is odd, so that Y(-u) = -Y(u)
};
template <typename T>
struct MultipolesOut {
  Out<T> value; // (n, C K)
  Out<T> w, y;  // gradients
};

UNNP_DISPATCH(multipoles, MultipolesIn, MultipolesOut)

} // namespace unnp::ops
