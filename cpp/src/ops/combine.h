// combine: the nonlinearity of a bond, even under exchange of its two atoms, times the cutoff.
//
//   z = f (even_i + even_j) + zb,  d = f (odd_i - odd_j) + db,  out = f (silu(z) + d tanh(d / 2))
//
// The rows of the atoms hold [even, odd]; db may be empty.
#pragma once

#include "dispatch.h"

namespace unnp::ops {

template <typename T>
struct CombineIn {
  In<T> atom, zb, db, f, g; // (n, 2 H), (bonds, H), (bonds, H) or null, (bonds), (bonds, H)
  int channels;
};
template <typename T>
struct CombineOut {
  Out<T> value;           // (bonds, H)
  Out<T> atom, zb, db, f; // gradients
};

UNNP_DISPATCH(combine, CombineIn, CombineOut)

} // namespace unnp::ops
