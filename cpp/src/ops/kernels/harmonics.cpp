#include "../harmonics.h"
#include "access.h"

namespace unnp::ops::UNNP_ARCH {
namespace {

// One column of several rows, as a packet over the rows; rows beyond n read as zero and are not written.
template <typename N, typename T>
UNNP_INLINE N read_column(const In<T>& in, std::int64_t k, int stride, int n) {
  T value[N::width] = {}, tangent[N::width] = {};
  for (int row = 0; row < n; ++row) {
    value[row] = in.value[k + static_cast<std::int64_t>(row) * stride];
    if (in.tangent)
      tangent[row] = in.tangent[k + static_cast<std::int64_t>(row) * stride];
  }
  return at<N>(In<T>{value, tangent}, 0, N::width);
}
template <typename N, typename T>
UNNP_INLINE void write_column(const Out<T>& out, std::int64_t k, int stride, int n, N a) {
  T x[N::width];
  set(Out<T>{x}, 0, a, N::width);
  for (int row = 0; row < n; ++row)
    out.p[k + static_cast<std::int64_t>(row) * stride] = x[row];
}

// Q_l^m(z), and the real and imaginary parts of (x + iy)^m.
template <typename N>
struct Polynomials {
  using T = typename N::scalar;
  N legendre[triangular(max_degree + 1, 0)], cosine[max_degree + 1], sine[max_degree + 1];

  UNNP_INLINE Polynomials(N x, N y, N z, int last) {
    cosine[0] = constant<N>(1);
    sine[0] = constant<N>(0);
    T double_factorial = 1;
    for (int m = 0; m <= last; ++m) {
      if (m > 0) {
        cosine[m] = cosine[m - 1] * x - sine[m - 1] * y;
        sine[m] = cosine[m - 1] * y + sine[m - 1] * x;
        double_factorial *= T(2 * m - 1);
      }
      legendre[triangular(m, m)] = constant<N>(double_factorial);
      if (m < last)
        legendre[triangular(m + 1, m)] = constant<N>(T(2 * m + 1) * double_factorial) * z;
      for (int l = m + 2; l <= last; ++l)
        legendre[triangular(l, m)] =
            constant<N>(T(2 * l - 1) / T(l - m)) * z * legendre[triangular(l - 1, m)] -
            constant<N>(T(l - 1 + m) / T(l - m)) * legendre[triangular(l - 2, m)];
    }
  }
};

template <typename N, typename T = typename N::scalar>
UNNP_INLINE void write_values(const HarmonicsIn<T>& in, const HarmonicsOut<T>& out, std::int64_t row, int n,
                              const Polynomials<N>& p) {
  const int stride = (in.last + 1) * (in.last + 1) - in.first * in.first;
  for (int l = in.first; l <= in.last; ++l)
    for (int m = 0; m <= l; ++m) {
      const std::int64_t column = row * stride + l * l + l - in.first * in.first;
      const N q = constant<N>(in.factors.value[triangular(l, m)]) * p.legendre[triangular(l, m)];
      write_column(out.value, column + m, stride, n, q * p.cosine[m]);
      if (m > 0)
        write_column(out.value, column - m, stride, n, q * p.sine[m]);
    }
}

template <typename N, typename T = typename N::scalar>
UNNP_INLINE void write_gradients(const HarmonicsIn<T>& in, const HarmonicsOut<T>& out, std::int64_t row,
                                 int n, const Polynomials<N>& p) {
  const int stride = (in.last + 1) * (in.last + 1) - in.first * in.first;
  N g_u[3] = {constant<N>(0), constant<N>(0), constant<N>(0)};
  for (int l = in.first; l <= in.last; ++l)
    for (int m = 0; m <= l; ++m) {
      const std::int64_t column = row * stride + l * l + l - in.first * in.first;
      const N factor = constant<N>(in.factors.value[triangular(l, m)]);
      const N g_c = read_column<N>(in.g, column + m, stride, n);
      const N g_s = m > 0 ? read_column<N>(in.g, column - m, stride, n) : constant<N>(0);
      if (m < l)
        g_u[2] = g_u[2] + factor * p.legendre[triangular(l, m + 1)] * (g_c * p.cosine[m] + g_s * p.sine[m]);
      if (m > 0) {
        const N q = constant<N>(T(m)) * factor * p.legendre[triangular(l, m)];
        g_u[0] = g_u[0] + q * (g_c * p.cosine[m - 1] + g_s * p.sine[m - 1]);
        g_u[1] = g_u[1] + q * (g_s * p.cosine[m - 1] - g_c * p.sine[m - 1]);
      }
    }
  for (int k = 0; k < 3; ++k)
    write_column(out.u, 3 * row + k, 3, n, g_u[k]);
}

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void harmonics_kernel(const HarmonicsIn<T>& in, const HarmonicsOut<T>& out, const Range& range) {
  for (std::int64_t row = range.begin; row < range.end; row += N::width) {
    const int n = static_cast<int>(std::min<std::int64_t>(range.end - row, N::width));
    const Polynomials<N> p(read_column<N>(in.u, 3 * row, 3, n), read_column<N>(in.u, 3 * row + 1, 3, n),
                           read_column<N>(in.u, 3 * row + 2, 3, n), in.last);
    if constexpr (WantValue)
      write_values<N>(in, out, row, n, p);
    if constexpr (WantGradient)
      write_gradients<N>(in, out, row, n, p);
  }
}

} // namespace

UNNP_KERNELS(harmonics, HarmonicsIn, HarmonicsOut)

} // namespace unnp::ops::UNNP_ARCH
