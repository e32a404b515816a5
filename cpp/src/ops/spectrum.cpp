#include "spectrum.h"

#include "checks.h"
#include "fused.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {moments}; sizes = {first, degrees}.
struct Spectrum : spectrum_kernels, WithoutTable {
  static constexpr Over over = Over::rows;
  static constexpr bool sums_value = false;
  static constexpr std::array sums{false};

  static Sizes shape(const variable_list& z, const Tensor&, const Sizes& sizes) {
    return {z[0].size(0), 2 * z[0].size(1) * sizes[1]};
  }

  template <typename T>
  static SpectrumIn<T> reads(const Fields<T, 1>& x, const variable_list& z, const Sizes& sizes) {
    return {x.z[0],
            x.g,
            static_cast<int>(z[0].size(1)),
            static_cast<int>(z[0].size(2)),
            static_cast<int>(sizes[0]),
            static_cast<int>(sizes[1])};
  }

  static Call checked(const Tensor& m, std::int64_t first) {
    check_shape("spectrum", "moments", m, m, {-1, -1, -1});
    const std::int64_t components = m.size(2);
    std::int64_t degrees = 0, found = 0;
    for (; first >= 0 && first < components && found < components; ++degrees)
      found += 2 * (first + degrees) + 1;
    TORCH_CHECK(degrees > 0 && found == components && m.size(1) < (std::int64_t{1} << 16),
                "unnp::spectrum: ", components, " components are not those of all degrees from ", first,
                " on, or there are too many of ", m.size(1), " channels");
    return {{m.contiguous()}, no_bonds(), {first, degrees}};
  }
};

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("spectrum(Tensor moments, int first) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("spectrum", Entry<Spectrum>::plain);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("spectrum", Entry<Spectrum>::differentiable);
}

} // namespace unnp::ops
