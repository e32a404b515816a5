// project: the scalars that two atoms' vectors and tensors make with the bond between them, times cutoff and
// amplitude.
//
//   w_i = v_i + T_i u, w_j = v_j - T_j u, p_i = w_i . u, p_j = -w_j . u, q = w_i . w_j
//   out = [f (p_i + p_j), a f (p_i + p_j), f q, f (p_i - p_j), a f (p_i - p_j)]
#pragma once

#include "dispatch.h"

namespace unnp::ops {

template <typename T>
struct ProjectIn {
  In<T> v, t, a, f, u, g; // (n, 3, C), (n, 6, C), (bonds, C), (bonds), (bonds, 3), (bonds, 5 C)
  int channels;
};
template <typename T>
struct ProjectOut {
  Out<T> value;         // (bonds, 5 C)
  Out<T> v, t, a, f, u; // gradients
};

UNNP_DISPATCH(project, ProjectIn, ProjectOut)

} // namespace unnp::ops
