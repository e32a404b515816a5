#include "../spectrum.h"
#include "access.h"

#include <cmath>

namespace unnp::ops::UNNP_ARCH {
namespace {

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void spectrum_kernel(const SpectrumIn<T>& in, const SpectrumOut<T>& out, const Range& range) {
  const int channels = in.channels, of_pairs = channels * in.degrees;
  for (std::int64_t atom = range.begin; atom < range.end; ++atom)
    for (int k = 0; k < in.degrees; ++k) {
      const int l = in.first + k, width = 2 * l + 1, start = l * l - in.first * in.first;
      const N norm = constant<N>(T(1) / std::sqrt(T(width)));
      const auto moments = [&](int c) { return (atom * channels + c) * in.components + start; };
      const std::int64_t row = 2 * atom * of_pairs + k;
      for (int c = 0; c < channels; ++c) {
        const int before = c > 0 ? c - 1 : channels - 1, after = c + 1 < channels ? c + 1 : 0;
        const std::int64_t own = row + c * in.degrees, next = row + after * in.degrees + of_pairs;
        N alone = constant<N>(0), pair = alone, g_alone = alone, g_before = alone, g_after = alone;
        if constexpr (WantGradient) {
          g_alone = norm * scalar<N>(in.g, own);
          g_before = norm * scalar<N>(in.g, own + of_pairs);
          g_after = norm * scalar<N>(in.g, next);
        }
        for (int i = 0; i < width; i += N::width) {
          const int n = std::min(width - i, N::width);
          const N m = at<N>(in.m, moments(c) + i, n), m_before = at<N>(in.m, moments(before) + i, n);
          if constexpr (WantValue) {
            alone = alone + m * m;
            pair = pair + m * m_before;
          }
          if constexpr (WantGradient) {
            const N m_after = at<N>(in.m, moments(after) + i, n);
            set(out.m, moments(c) + i, (g_alone + g_alone) * m + g_before * m_before + g_after * m_after, n);
          }
        }
        if constexpr (WantValue) {
          set_sum(out.value, own, norm * alone);
          set_sum(out.value, own + of_pairs, norm * pair);
        }
      }
    }
}

} // namespace

UNNP_KERNELS(spectrum, SpectrumIn, SpectrumOut)

} // namespace unnp::ops::UNNP_ARCH
