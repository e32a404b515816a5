// aggregate: sums of bond messages on atoms, as scalars, along the bond, and along its dyad.
//
//   rows of atom i: [sum m_s | sum m_v u | sum m_t u (x) u], u pointing away from the atom
//   layout: s (S), v (3, V), t (6, R) in the order xx, yy, zz, yz, xz, xy
#pragma once

#include "dispatch.h"

namespace unnp::ops {

template <typename T>
struct AggregateIn {
  In<T> m, u, g; // (bonds, S + V + R), (bonds, 3), (n, S + 3 V + 6 R)
  int s, v, t;
};
template <typename T>
struct AggregateOut {
  Out<T> value; // (n, S + 3 V + 6 R)
  Out<T> m, u;  // gradients
};

UNNP_DISPATCH(aggregate, AggregateIn, AggregateOut)

} // namespace unnp::ops
