#include "../envelope.h"
#include "access.h"

namespace unnp::ops::UNNP_ARCH {
namespace {

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void envelope_kernel(const EnvelopeIn<T>& in, const EnvelopeOut<T>& out, const Range& range) {
  const T p = T(in.p);
  const N a = constant<N>((p + 1) * (p + 2) / 2), b = constant<N>(p * (p + 2)),
          c = constant<N>(p * (p + 1) / 2);
  const N one = constant<N>(1), steepness = constant<N>(p * (p + 1) * (p + 2) / 2);
  for (std::int64_t k = range.begin; k < range.end; k += N::width) {
    const int n = static_cast<int>(std::min<std::int64_t>(range.end - k, N::width));
    const N x = at_most(at<N>(in.x, k, n), T(1));
    N power = one; // x^(p - 1)
    for (int i = 1; i < in.p; ++i)
      power = power * x;
    if constexpr (WantValue)
      set(out.value, k, one - power * x * (a - x * (b - c * x)), n);
    if constexpr (WantGradient) // zero at x = 1, with its derivative
      set(out.x, k, -(at<N>(in.g, k, n) * steepness * power * (one - x) * (one - x)), n);
  }
}

} // namespace

UNNP_KERNELS(envelope, EnvelopeIn, EnvelopeOut)

} // namespace unnp::ops::UNNP_ARCH
