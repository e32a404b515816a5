#include "../norms.h"
#include "tensors.h"

namespace unnp::ops::UNNP_ARCH {
namespace {

template <typename N>
UNNP_INLINE N softened(N squared) {
  return sqrt(squared + constant<N>(typename N::scalar(softness * softness)));
}

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void norms_kernel(const NormsIn<T>& in, const NormsOut<T>& out, const Range& range) {
  const int width = in.vectors + in.tensors;
  const N shift = constant<N>(T(softness));
  for (std::int64_t atom = range.begin; atom < range.end; ++atom) {
    const std::int64_t row = atom * width;
    for (int c = 0; c < in.vectors; c += N::width) {
      const int n = std::min(in.vectors - c, N::width);
      const std::int64_t k = atom * 3 * in.vectors + c;
      const auto v = vector_at<N>(in.v, k, in.vectors, n);
      const N length = softened(dot(v, v));
      if constexpr (WantValue)
        set(out.value, row + c, length - shift, n);
      if constexpr (WantGradient)
        write(out.v, k, in.vectors, times(at<N>(in.g, row + c, n) / length, v), n);
    }
    for (int c = 0; c < in.tensors; c += N::width) {
      const int n = std::min(in.tensors - c, N::width);
      const std::int64_t k = atom * 6 * in.tensors + c, place = row + in.vectors + c;
      const auto t = symmetric_at<N>(in.t, k, in.tensors, n);
      const N length = softened(dot(t, t));
      if constexpr (WantValue)
        set(out.value, place, length - shift, n);
      if constexpr (WantGradient)
        write_gradient(out.t, k, in.tensors, times(at<N>(in.g, place, n) / length, t), n);
    }
  }
}

} // namespace

UNNP_KERNELS(norms, NormsIn, NormsOut)

} // namespace unnp::ops::UNNP_ARCH
