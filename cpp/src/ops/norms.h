// norms: the lengths of the vectors and symmetric tensors of an atom, without the cusp at zero.
//
//   row of an atom: sqrt(v.v + e^2) - e of each vector, then sqrt(T:T + e^2) - e of each tensor, e = 0.1
//   layout: (V + K); inputs (3, V) and (6, K)
#pragma once

#include "dispatch.h"

namespace unnp::ops {

constexpr double softness = 0.1; // e

template <typename T>
struct NormsIn {
  In<T> v, t, g;
  int vectors, tensors; // V, K
};
template <typename T>
struct NormsOut {
  Out<T> value;
  Out<T> v, t; // gradients
};

UNNP_DISPATCH(norms, NormsIn, NormsOut)

} // namespace unnp::ops
