#include "../products.h"
#include "tensors.h"

namespace unnp::ops::UNNP_ARCH {
namespace {

template <typename N>
UNNP_INLINE Vector<N> applied(const Symmetric<N>& t, const Vector<N>& v) {
  return {{t.x[0] * v.x[0] + t.x[5] * v.x[1] + t.x[4] * v.x[2],
           t.x[5] * v.x[0] + t.x[1] * v.x[1] + t.x[3] * v.x[2],
           t.x[4] * v.x[0] + t.x[3] * v.x[1] + t.x[2] * v.x[2]}};
}
// (v (x) w + w (x) v) / 2
template <typename N>
UNNP_INLINE Symmetric<N> dyad(const Vector<N>& v, const Vector<N>& w) {
  const N half = constant<N>(typename N::scalar(0.5));
  return {{v.x[0] * w.x[0], v.x[1] * w.x[1], v.x[2] * w.x[2], half * (v.x[1] * w.x[2] + v.x[2] * w.x[1]),
           half * (v.x[0] * w.x[2] + v.x[2] * w.x[0]), half * (v.x[0] * w.x[1] + v.x[1] * w.x[0])}};
}
// (T U + U T) / 2
template <typename N>
UNNP_INLINE Symmetric<N> product(const Symmetric<N>& t, const Symmetric<N>& u) {
  const N half = constant<N>(typename N::scalar(0.5));
  const N yz = t.x[3] * u.x[3], xz = t.x[4] * u.x[4], xy = t.x[5] * u.x[5];
  const auto beside = [&](int k, int a, int b, int m, int n) {
    return half *
           (t.x[k] * (u.x[a] + u.x[b]) + u.x[k] * (t.x[a] + t.x[b]) + t.x[m] * u.x[n] + t.x[n] * u.x[m]);
  };
  return {{t.x[0] * u.x[0] + xy + xz, t.x[1] * u.x[1] + xy + yz, t.x[2] * u.x[2] + xz + yz,
           beside(3, 1, 2, 4, 5), beside(4, 0, 2, 3, 5), beside(5, 0, 1, 3, 4)}};
}

template <typename N>
UNNP_INLINE Vector<N> plus(const Vector<N>& a, const Vector<N>& b) {
  return {{a.x[0] + b.x[0], a.x[1] + b.x[1], a.x[2] + b.x[2]}};
}
template <typename N>
UNNP_INLINE Symmetric<N> plus(const Symmetric<N>& a, const Symmetric<N>& b) {
  return {
      {a.x[0] + b.x[0], a.x[1] + b.x[1], a.x[2] + b.x[2], a.x[3] + b.x[3], a.x[4] + b.x[4], a.x[5] + b.x[5]}};
}

// (1 + x)^(-1/4), and its derivative with respect to x.
template <typename N>
struct Taming {
  N factor, slope;
  UNNP_INLINE explicit Taming(N x) {
    const N one = constant<N>(1), root = sqrt(one + x);
    factor = one / sqrt(root);
    slope = constant<N>(typename N::scalar(-0.25)) * factor / (one + x);
  }
};

template <typename N>
UNNP_INLINE N tamed(N x) {
  return x * Taming<N>(x * x).factor;
}
template <typename N>
UNNP_INLINE N slope_of_tamed(N x) {
  const Taming<N> taming(x * x);
  return taming.factor + (x * x + x * x) * taming.slope;
}

// The gradient with respect to x of what depends on x (1 + |x|^2)^(-1/4), by `g`, and on the factor alone, by
// `g_factor`.
template <typename N, template <typename> class X>
UNNP_INLINE X<N> through(const Taming<N>& taming, const X<N>& x, const X<N>& g, N g_factor) {
  const N along = (g_factor + dot(g, x)) * taming.slope;
  return plus(times(taming.factor, g), times(along + along, x));
}

// A gradient with respect to the six components as a tensor G whose G : dT is the change: what stands beside
// the diagonal counts twice.
template <typename N>
UNNP_INLINE Symmetric<N> as_tensor(const Symmetric<N>& g) {
  const N half = constant<N>(typename N::scalar(0.5));
  return {{g.x[0], g.x[1], g.x[2], half * g.x[3], half * g.x[4], half * g.x[5]}};
}

template <typename N, bool WantValue, bool WantGradient, typename T = typename N::scalar>
UNNP_INLINE void products_kernel(const ProductsIn<T>& in, const ProductsOut<T>& out, const Range& range) {
  const int p = in.channels;
  for (std::int64_t atom = range.begin; atom < range.end; ++atom)
    for (int c = 0; c < p; c += N::width) {
      const int n = std::min(p - c, N::width);
      const std::int64_t vectors = atom * 6 * p + c, tensors = atom * 12 * p + c;
      const std::int64_t row = atom * (in.coupled ? all_products : invariant_products) * p + c;
      const auto v = vector_at<N>(in.v, vectors, 2 * p, n), w = vector_at<N>(in.v, vectors + p, 2 * p, n);
      const auto t = symmetric_at<N>(in.t, tensors, 2 * p, n),
                 u = symmetric_at<N>(in.t, tensors + p, 2 * p, n);
      const auto tv = applied(t, v);
      const auto tu = product(t, u), vw = dyad(v, w);
      const Taming<N> of_tv(dot(tv, tv)), of_tu(dot(tu, tu)), of_vw(dot(vw, vw));
      const N tv_w = dot(tv, w), tu_u = dot(tu, u);
      const N invariants[invariant_products] = {dot(v, w), dot(t, u), of_tv.factor * tv_w,
                                                of_tu.factor * tu_u};
      if constexpr (WantValue) {
        for (int k = 0; k < invariant_products; ++k)
          set(out.value, row + k * p, tamed(invariants[k]), n);
        if (in.coupled) {
          write(out.value, row + 4 * p, p, times(of_tv.factor, tv), n);
          write(out.value, row + 7 * p, p, times(of_tu.factor, tu), n);
          write(out.value, row + 13 * p, p, times(of_vw.factor, vw), n);
        }
      }
      if constexpr (WantGradient) {
        N g[invariant_products];
        for (int k = 0; k < invariant_products; ++k)
          g[k] = at<N>(in.g, row + k * p, n) * slope_of_tamed(invariants[k]);
        const N zero = constant<N>(0);
        Vector<N> g_tv{{zero, zero, zero}};
        Symmetric<N> g_tu{{zero, zero, zero, zero, zero, zero}}, g_vw = g_tu;
        if (in.coupled) {
          g_tv = vector_at<N>(in.g, row + 4 * p, p, n);
          g_tu = as_tensor(symmetric_at<N>(in.g, row + 7 * p, p, n));
          g_vw = as_tensor(symmetric_at<N>(in.g, row + 13 * p, p, n));
        }
        g_tv = plus(through(of_tv, tv, g_tv, g[2] * tv_w), times(g[2] * of_tv.factor, w));
        g_tu = plus(through(of_tu, tu, g_tu, g[3] * tu_u), times(g[3] * of_tu.factor, u));
        g_vw = through(of_vw, vw, g_vw, zero);
        write(out.v, vectors, 2 * p, plus(times(g[0], w), plus(applied(t, g_tv), applied(g_vw, w))), n);
        write(out.v, vectors + p, 2 * p,
              plus(times(g[0], v), plus(times(g[2] * of_tv.factor, tv), applied(g_vw, v))), n);
        write_gradient(out.t, tensors, 2 * p, plus(times(g[1], u), plus(dyad(g_tv, v), product(g_tu, u))), n);
        write_gradient(out.t, tensors + p, 2 * p,
                       plus(times(g[1], t), plus(times(g[3] * of_tu.factor, tu), product(g_tu, t))), n);
      }
    }
}

} // namespace

UNNP_KERNELS(products, ProductsIn, ProductsOut)

} // namespace unnp::ops::UNNP_ARCH
