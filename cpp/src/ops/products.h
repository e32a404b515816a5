// products: what the vectors v, w and the symmetric tensors T, U of an atom make of each other, channel by
// channel.
//
//   row of an atom: v.w, T:U, Tv.w, TU:U [, T v, (T U + U T) / 2, (v (x) w + w (x) v) / 2]
//   all of them tamed: times (1 + |x|^2)^(-1/4), the factor of T v in Tv.w too, that of (T U + U T) / 2 in
//   TU:U layout: (4 [+ 3 + 6 + 6], P); inputs (3, 2 P) and (6, 2 P), the first P channels v and T, the others
//   w and U
#pragma once

#include "dispatch.h"

namespace unnp::ops {

constexpr int invariant_products = 4, all_products = 4 + 3 + 6 + 6;

template <typename T>
struct ProductsIn {
  In<T> v, t, g;
  int channels; // P
  bool coupled; // whether the vectors and tensors are wanted, not only the invariants
};
template <typename T>
struct ProductsOut {
  Out<T> value;
  Out<T> v, t; // gradients
};

UNNP_DISPATCH(products, ProductsIn, ProductsOut)

} // namespace unnp::ops
