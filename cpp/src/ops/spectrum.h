// spectrum: the scalars that the multipole moments of an atom make with each other.
//
//   row of an atom: for each channel c and degree l, sum_m M_clm^2 / sqrt(2 l + 1);
//   then the same of M_clm and the moments of the channel before, the last one for the first
//   layout: moments (C, K), all degrees from `first` on; scalars (2, C, degrees)
#pragma once

#include "dispatch.h"

namespace unnp::ops {

template <typename T>
struct SpectrumIn {
  In<T> m, g; // (n, C, K), (n, 2 C L)
  int channels, components, first, degrees;
};
template <typename T>
struct SpectrumOut {
  Out<T> value; // (n, 2 C L)
  Out<T> m;     // gradient
};

UNNP_DISPATCH(spectrum, SpectrumIn, SpectrumOut)

} // namespace unnp::ops
