#include "products.h"

#include "checks.h"
#include "differentiable.h"
#include "launch.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {vectors, tensors}; h their tangents or empty; sizes = {coupled}.
template <typename T>
ProductsIn<T> products_in(const variable_list& z, const variable_list& h, const Tensor& g,
                          const Sizes& sizes) {
  const auto field = [&](std::size_t k) { return reader<T>(z[k], h.empty() ? Tensor() : h[k]); };
  return {field(0), field(1), reader<T>(g), static_cast<int>(z[0].size(2) / 2), sizes[0] != 0};
}

struct Products {
  static Tensor forward(const variable_list& z, const Tensor&, const Sizes& sizes) {
    Tensor value = empty_rows(z, sizes);
    AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "unnp::products", [&] {
      const auto in = products_in<scalar_t>(z, {}, Tensor(), sizes);
      const ProductsOut<scalar_t> out{{write<scalar_t>(value)}, {}, {}};
      over_rows(z[0].size(0), [&](const Range& range) { products_value(in, out, range); });
    });
    return value;
  }

  static variable_list backward(const Tensor& g, const variable_list& z, const Tensor&, const Sizes& sizes) {
    variable_list grads{torch::empty_like(z[0]), torch::empty_like(z[1])};
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::products", [&] {
      const auto in = products_in<scalar_t>(z, {}, g, sizes);
      const ProductsOut<scalar_t> out{{}, {write<scalar_t>(grads[0])}, {write<scalar_t>(grads[1])}};
      over_rows(z[0].size(0), [&](const Range& range) { products_gradient(in, out, range); });
    });
    return grads;
  }

  static variable_list double_backward(const Tensor& g, const variable_list& z, const Tensor&,
                                       const Sizes& sizes, const variable_list& h) {
    variable_list grads{empty_rows(z, sizes), torch::empty_like(z[0]), torch::empty_like(z[1])};
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::products", [&] {
      const auto in = products_in<scalar_t>(z, h, g, sizes);
      const ProductsOut<scalar_t> out{
          {write<scalar_t>(grads[0])}, {write<scalar_t>(grads[1])}, {write<scalar_t>(grads[2])}};
      over_rows(z[0].size(0), [&](const Range& range) { products_double(in, out, range); });
    });
    return grads;
  }

private:
  static Tensor empty_rows(const variable_list& z, const Sizes& sizes) {
    const std::int64_t blocks = sizes[0] != 0 ? all_products : invariant_products;
    return torch::empty({z[0].size(0), blocks * (z[0].size(2) / 2)}, z[0].options());
  }
};

variable_list checked(const Tensor& v, const Tensor& t) {
  check_shape("products", "vectors", v, v, {-1, 3, -1});
  check_shape("products", "tensors", t, v, {v.size(0), 6, v.size(2)});
  TORCH_CHECK(v.size(2) % 2 == 0 && v.size(2) < (std::int64_t{1} << 24),
              "unnp::products: vectors have two halves of channels, not ", v.size(2), " channels");
  return contiguous({v, t});
}

Tensor products(const Tensor& v, const Tensor& t, bool coupled) {
  return Products::forward(checked(v, t), {}, {coupled});
}
Tensor products_autograd(const Tensor& v, const Tensor& t, bool coupled) {
  return differentiable<Products>(checked(v, t), torch::empty({0}), {coupled}); // without bonds
}

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("products(Tensor vectors, Tensor tensors, bool coupled) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("products", products);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("products", products_autograd);
}

} // namespace unnp::ops
