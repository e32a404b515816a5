#include "envelope.h"

#include "checks.h"
#include "fused.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {distances in units of the cutoff}; sizes = {exponent}.
struct Envelope : envelope_kernels, WithoutTable {
  static constexpr Over over = Over::rows;
  static constexpr bool sums_value = false;
  static constexpr std::array sums{false};

  static Sizes shape(const variable_list& z, const Tensor&, const Sizes&) { return {z[0].size(0)}; }

  template <typename T>
  static EnvelopeIn<T> reads(const Fields<T, 1>& x, const variable_list&, const Sizes& sizes) {
    return {x.z[0], x.g, static_cast<int>(sizes[0])};
  }

  static Call checked(const Tensor& x, std::int64_t p) {
    check_shape("envelope", "distances", x, x, {-1});
    TORCH_CHECK(p >= 1 && p <= 64, "unnp::envelope: the exponent is from 1 to 64, not ", p);
    return {{x.contiguous()}, no_bonds(), {p}};
  }
};

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("envelope(Tensor x, int p) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("envelope", Entry<Envelope>::plain);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("envelope", Entry<Envelope>::differentiable);
}

} // namespace unnp::ops
