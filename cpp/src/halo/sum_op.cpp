// The op unnp::sum_over_ranks: sums of what each rank has of a structure. A sum is its own transpose, so that
// its derivative is the sum of the gradients.
#include "unnp/error.h"
#include "unnp/halo.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace unnp {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

RowFormat format_of(const at::Tensor& values) {
  TORCH_CHECK(values.scalar_type() == at::kFloat || values.scalar_type() == at::kDouble,
              "unnp::sum_over_ranks: numbers must be float32 or float64, not ", values.scalar_type());
  return {values.scalar_type() == at::kFloat ? Scalar::float32 : Scalar::float64, values.numel()};
}

/// LAMMPS communicates host memory.
at::Tensor summed(const at::Tensor& values, std::int64_t handle, void (Halo::*sum)(void*, RowFormat)) {
  const auto format = format_of(values);
  auto copy = at::empty(values.sizes(), values.options().device(at::kCPU));
  copy.copy_(values);
  (find_halo(handle).*sum)(copy.data_ptr(), format);
  return copy.to(values.device());
}

at::Tensor sum_kernel(const at::Tensor& values, std::int64_t handle) {
  return handle == 0 ? values.clone() : summed(values, handle, &Halo::sum);
}

struct SumOverRanks : torch::autograd::Function<SumOverRanks> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& values, std::int64_t handle) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    auto sum = sum_kernel(values, handle);
    context->saved_data["halo"] = handle;
    context->saved_data["noted"] = handle == 0 ? std::int64_t{-1} : find_halo(handle).latest();
    return sum;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradient) {
    const auto handle = context->saved_data["halo"].toInt();
    if (handle == 0)
      return {gradient[0], {}};
    TORCH_CHECK(!at::GradMode::is_enabled(), "unnp::sum_over_ranks can be differentiated once only");
    auto& halo = find_halo(handle);
    halo.begin_reverse(context->saved_data["noted"].toInt());
    return {summed(gradient[0], handle, &Halo::reverse_sum), {}};
  }
};

at::Tensor sum_autograd(const at::Tensor& values, std::int64_t handle) {
  return SumOverRanks::apply(values, handle);
}

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("sum_over_ranks(Tensor values, int halo) -> Tensor");
}

TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("sum_over_ranks", sum_kernel);
}

TORCH_LIBRARY_IMPL(unnp, CUDA, library) {
  library.impl("sum_over_ranks", sum_kernel);
}

TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("sum_over_ranks", sum_autograd);
}

TORCH_LIBRARY_IMPL(unnp, AutogradCUDA, library) {
  library.impl("sum_over_ranks", sum_autograd);
}

} // namespace unnp
