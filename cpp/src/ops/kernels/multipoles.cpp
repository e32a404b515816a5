#include "../multipoles.h"
#include "access.h"

namespace unnp::ops::UNNP_ARCH {
namespace {

// Pieces of the components that fill a register. The last one begins earlier than the one before it ends, so
// that nothing is read or written beyond a row; what both hold counts once.
template <typename N>
struct Pieces {
  using T = typename N::scalar;
  static constexpr int most = (max_components + N::width - 1) / N::width;
  int count, n, start[most];
  T once[most * N::width];

  UNNP_INLINE explicit Pieces(int components) {
    count = (components + N::width - 1) / N::width;
    n = std::min(components, N::width);
    for (int k = 0; k < count; ++k) {
      start[k] = std::min(k * N::width, components - n);
      for (int lane = 0; lane < N::width; ++lane)
        once[k * N::width + lane] = start[k] + lane >= k * N::width ? T(1) : T(0);
    }
  }
};

template <typename N, typename T>
UNNP_INLINE N fixed(const T* p) {
  return at<N>(In<T>{p, nullptr}, 0, N::width);
}

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void multipoles_kernel(const MultipolesIn<T>& in, const MultipolesOut<T>& out,
                                   const Range& range) {
  const Pieces<N> pieces(in.components);
  const std::int64_t width = static_cast<std::int64_t>(in.channels) * in.components;
  N sign[Pieces<N>::most], y_i[Pieces<N>::most], y_j[Pieces<N>::most], g_y[Pieces<N>::most];
  for (int k = 0; k < pieces.count; ++k)
    sign[k] = at<N>(in.sign, pieces.start[k], pieces.n);
  for (std::int64_t b = range.begin; b < range.end; ++b) {
    for (int k = 0; k < pieces.count; ++k) {
      y_i[k] =
          at<N>(in.y, b * in.components + pieces.start[k], pieces.n) * fixed<N>(pieces.once + k * N::width);
      y_j[k] = y_i[k] * sign[k];
      g_y[k] = constant<N>(0);
    }
    for (int c = 0; c < in.channels; ++c) {
      const N w = scalar<N>(in.w, b * in.channels + c);
      const std::int64_t i = range.i[b] * width + c * in.components,
                         j = range.j[b] * width + c * in.components;
      N g_w = constant<N>(0);
      for (int k = 0; k < pieces.count; ++k) {
        if constexpr (WantValue) {
          add(out.value, i + pieces.start[k], w * y_i[k], pieces.n);
          add(out.value, j + pieces.start[k], w * y_j[k], pieces.n);
        }
        if constexpr (WantGradient) {
          const N g_i = at<N>(in.g, i + pieces.start[k], pieces.n),
                  g_j = at<N>(in.g, j + pieces.start[k], pieces.n);
          g_w = g_w + g_i * y_i[k] + g_j * y_j[k];
          g_y[k] = g_y[k] + w * (g_i + g_j * sign[k]);
        }
      }
      if constexpr (WantGradient)
        set_sum(out.w, b * in.channels + c, g_w);
    }
    if constexpr (WantGradient)
      for (int k = 0; k < pieces.count; ++k)
        set(out.y, b * in.components + pieces.start[k], g_y[k], pieces.n);
  }
}

} // namespace

UNNP_KERNELS(multipoles, MultipolesIn, MultipolesOut)

} // namespace unnp::ops::UNNP_ARCH
