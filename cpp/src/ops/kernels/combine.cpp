#include "../combine.h"
#include "access.h"

namespace unnp::ops::UNNP_ARCH {
namespace {

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void combine_kernel(const CombineIn<T>& in, const CombineOut<T>& out, const Range& range) {
  const int channels = in.channels;
  const N one = constant<N>(1);
  for (std::int64_t b = range.begin; b < range.end; ++b) {
    const std::int64_t i = 2 * channels * range.i[b], j = 2 * channels * range.j[b];
    const N f = scalar<N>(in.f, b);
    N gf = constant<N>(0);
    for (int c = 0; c < channels; c += N::width) {
      const int n = std::min(channels - c, N::width);
      const std::int64_t row = b * channels + c;
      const N even = at<N>(in.atom, i + c, n) + at<N>(in.atom, j + c, n);
      const N odd = at<N>(in.atom, i + channels + c, n) - at<N>(in.atom, j + channels + c, n);
      const N z = f * even + at<N>(in.zb, row, n);
      const N d = in.db.value ? f * odd + at<N>(in.db, row, n) : f * odd;
      const N sigmoid_z = sigmoid(z);
      const N sigmoid_d = sigmoid(d); // tanh(d / 2) = 2 sigmoid(d) - 1
      const N tanh_d = sigmoid_d + sigmoid_d - one;
      const N activation = z * sigmoid_z + d * tanh_d;
      if constexpr (WantValue)
        set(out.value, row, f * activation, n);
      if constexpr (WantGradient) {
        const N g = at<N>(in.g, row, n), ga = f * g;
        const N gz = ga * (sigmoid_z + z * sigmoid_z * (one - sigmoid_z)),
                gd = ga * (tanh_d + (d + d) * sigmoid_d * (one - sigmoid_d));
        gf = gf + g * activation + gz * even + gd * odd;
        set(out.zb, row, gz, n);
        if (out.db.p)
          set(out.db, row, gd, n);
        const N g_even = f * gz, g_odd = f * gd;
        add(out.atom, i + c, g_even, n);
        add(out.atom, j + c, g_even, n);
        add(out.atom, i + channels + c, g_odd, n);
        add(out.atom, j + channels + c, -g_odd, n);
      }
    }
    if constexpr (WantGradient)
      set_sum(out.f, b, gf);
  }
}

} // namespace

UNNP_KERNELS(combine, CombineIn, CombineOut)

} // namespace unnp::ops::UNNP_ARCH
