// Twice differentiable operators from three functions.
//
// An Op has, for inputs z (tensors), an index tensor and sizes:
//   forward(z, index, sizes)            -> O(z)
//   backward(g, z, index, sizes)        -> d<g, O>/dz
//   double_backward(g, z, index, sizes, h) -> { O'(z)[h], d/d eps of backward(g, z + eps h) }
// The last is the gradient of <h, backward(g, z)> with respect to g and z, which training on forces needs.
#pragma once

#include <torch/torch.h>

namespace unnp::ops {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Sizes = std::vector<std::int64_t>;

template <class Op>
struct Gradient : torch::autograd::Function<Gradient<Op>> {
  static variable_list forward(AutogradContext* context, const Tensor& g, at::TensorList z,
                               const Tensor& index, const Sizes& sizes) {
    variable_list saved{g, index};
    saved.insert(saved.end(), z.begin(), z.end());
    context->save_for_backward(saved);
    context->saved_data["sizes"] = sizes;
    at::AutoDispatchBelowADInplaceOrView guard;
    return Op::backward(g, z.vec(), index, sizes);
  }

  static variable_list backward(AutogradContext* context, variable_list h) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "the fused operators of unnp can be differentiated twice, not three times");
    const variable_list saved = context->get_saved_variables();
    const variable_list z(saved.begin() + 2, saved.end());
    const Sizes sizes = context->saved_data["sizes"].toIntVector();
    for (auto& x : h)
      if (x.defined())
        x = x.contiguous();
    at::AutoDispatchBelowADInplaceOrView guard;
    variable_list result = Op::double_backward(saved[0], z, saved[1], sizes, h);
    result.resize(result.size() + 2);
    return result;
  }
};

template <class Op>
struct Value : torch::autograd::Function<Value<Op>> {
  static Tensor forward(AutogradContext* context, at::TensorList z, const Tensor& index, const Sizes& sizes) {
    variable_list saved{index};
    saved.insert(saved.end(), z.begin(), z.end());
    context->save_for_backward(saved);
    context->saved_data["sizes"] = sizes;
    at::AutoDispatchBelowADInplaceOrView guard;
    return Op::forward(z.vec(), index, sizes);
  }

  static variable_list backward(AutogradContext* context, variable_list g) {
    const variable_list saved = context->get_saved_variables();
    const variable_list z(saved.begin() + 1, saved.end());
    variable_list result = Gradient<Op>::apply(g[0].contiguous(), at::TensorList(z), saved[0],
                                               context->saved_data["sizes"].toIntVector());
    result.resize(result.size() + 2);
    return result;
  }
};

template <class Op>
Tensor differentiable(const variable_list& z, const Tensor& index, const Sizes& sizes) {
  return Value<Op>::apply(at::TensorList(z), index, sizes);
}

// Contiguous copies where needed: kernels read raw rows.
inline variable_list contiguous(variable_list z) {
  for (auto& x : z)
    x = x.contiguous();
  return z;
}

} // namespace unnp::ops
