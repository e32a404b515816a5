#include "spectrum.h"

#include "checks.h"
#include "differentiable.h"
#include "launch.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {moments}; h their tangents or empty; sizes = {first, degrees}.
template <typename T>
SpectrumIn<T> spectrum_in(const variable_list& z, const variable_list& h, const Tensor& g,
                          const Sizes& sizes) {
  return {reader<T>(z[0], h.empty() ? Tensor() : h[0]),
          reader<T>(g),
          static_cast<int>(z[0].size(1)),
          static_cast<int>(z[0].size(2)),
          static_cast<int>(sizes[0]),
          static_cast<int>(sizes[1])};
}

struct Spectrum {
  static Tensor forward(const variable_list& z, const Tensor&, const Sizes& sizes) {
    Tensor value = empty_rows(z, sizes);
    AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "unnp::spectrum", [&] {
      const auto in = spectrum_in<scalar_t>(z, {}, Tensor(), sizes);
      const SpectrumOut<scalar_t> out{{write<scalar_t>(value)}, {}};
      over_rows(z[0].size(0), [&](const Range& range) { spectrum_value(in, out, range); });
    });
    return value;
  }

  static variable_list backward(const Tensor& g, const variable_list& z, const Tensor&, const Sizes& sizes) {
    variable_list grads{torch::empty_like(z[0])};
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::spectrum", [&] {
      const auto in = spectrum_in<scalar_t>(z, {}, g, sizes);
      const SpectrumOut<scalar_t> out{{}, {write<scalar_t>(grads[0])}};
      over_rows(z[0].size(0), [&](const Range& range) { spectrum_gradient(in, out, range); });
    });
    return grads;
  }

  static variable_list double_backward(const Tensor& g, const variable_list& z, const Tensor&,
                                       const Sizes& sizes, const variable_list& h) {
    variable_list grads{empty_rows(z, sizes), torch::empty_like(z[0])};
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::spectrum", [&] {
      const auto in = spectrum_in<scalar_t>(z, h, g, sizes);
      const SpectrumOut<scalar_t> out{{write<scalar_t>(grads[0])}, {write<scalar_t>(grads[1])}};
      over_rows(z[0].size(0), [&](const Range& range) { spectrum_double(in, out, range); });
    });
    return grads;
  }

private:
  static Tensor empty_rows(const variable_list& z, const Sizes& sizes) {
    return torch::empty({z[0].size(0), 2 * z[0].size(1) * sizes[1]}, z[0].options());
  }
};

// The first degree, and how many there are.
Sizes checked(const Tensor& m, std::int64_t first) {
  check_shape("spectrum", "moments", m, m, {-1, -1, -1});
  const std::int64_t components = m.size(2);
  std::int64_t degrees = 0, found = 0;
  for (; first >= 0 && first < components && found < components; ++degrees)
    found += 2 * (first + degrees) + 1;
  TORCH_CHECK(degrees > 0 && found == components && m.size(1) < (std::int64_t{1} << 16),
              "unnp::spectrum: ", components, " components are not those of all degrees from ", first,
              " on, or there are too many of ", m.size(1), " channels");
  return {first, degrees};
}

Tensor spectrum(const Tensor& m, std::int64_t first) {
  const auto sizes = checked(m, first);
  return Spectrum::forward({m.contiguous()}, {}, sizes);
}
Tensor spectrum_autograd(const Tensor& m, std::int64_t first) {
  const auto sizes = checked(m, first);
  return differentiable<Spectrum>({m.contiguous()}, torch::empty({0}), sizes); // without bonds
}

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("spectrum(Tensor moments, int first) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("spectrum", spectrum);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("spectrum", spectrum_autograd);
}

} // namespace unnp::ops
