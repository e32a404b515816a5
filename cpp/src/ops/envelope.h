// envelope: the polynomial cutoff function of each distance x, in units of the cutoff.
//
//   1 - (p + 1)(p + 2)/2 x^p + p (p + 2) x^(p + 1) - p (p + 1)/2 x^(p + 2), and 0 beyond x = 1
#pragma once

#include "dispatch.h"

namespace unnp::ops {

template <typename T>
struct EnvelopeIn {
  In<T> x, g;
  int p;
};
template <typename T>
struct EnvelopeOut {
  Out<T> value;
  Out<T> x; // gradient
};

UNNP_DISPATCH(envelope, EnvelopeIn, EnvelopeOut)

} // namespace unnp::ops
