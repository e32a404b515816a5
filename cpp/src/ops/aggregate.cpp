#include "aggregate.h"

#include "checks.h"
#include "differentiable.h"
#include "launch.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {messages, u}; h their tangents or empty; sizes = {n_all, S, V, R}.
template <typename T>
AggregateIn<T> aggregate_in(const variable_list& z, const variable_list& h, const Tensor& g,
                            const Sizes& sizes) {
  const auto field = [&](std::size_t k) { return reader<T>(z[k], h.empty() ? Tensor() : h[k]); };
  return {field(0),
          field(1),
          reader<T>(g),
          static_cast<int>(sizes[1]),
          static_cast<int>(sizes[2]),
          static_cast<int>(sizes[3])};
}

struct Aggregate {
  static Tensor forward(const variable_list& z, const Tensor& index, const Sizes& sizes) {
    Tensor value = zero_rows(z, sizes);
    AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "unnp::aggregate", [&] {
      const auto in = aggregate_in<scalar_t>(z, {}, Tensor(), sizes);
      over_bonds(index, {value}, [&](const Range& range, const auto& rows) {
        aggregate_value(in, AggregateOut<scalar_t>{{write<scalar_t>(rows[0])}, {}, {}}, range);
      });
    });
    return value;
  }

  static variable_list backward(const Tensor& g, const variable_list& z, const Tensor& index,
                                const Sizes& sizes) {
    variable_list grads{torch::empty_like(z[0]), torch::empty_like(z[1])};
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::aggregate", [&] {
      const auto in = aggregate_in<scalar_t>(z, {}, g, sizes);
      const AggregateOut<scalar_t> out{{}, {write<scalar_t>(grads[0])}, {write<scalar_t>(grads[1])}};
      over_bonds(index, {}, [&](const Range& range, const auto&) { aggregate_gradient(in, out, range); });
    });
    return grads;
  }

  static variable_list double_backward(const Tensor& g, const variable_list& z, const Tensor& index,
                                       const Sizes& sizes, const variable_list& h) {
    const Tensor value = zero_rows(z, sizes);
    variable_list grads{value, torch::empty_like(z[0]), torch::empty_like(z[1])};
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::aggregate", [&] {
      const auto in = aggregate_in<scalar_t>(z, h, g, sizes);
      over_bonds(index, {value}, [&](const Range& range, const auto& rows) {
        aggregate_double(in,
                         AggregateOut<scalar_t>{{write<scalar_t>(rows[0])},
                                                {write<scalar_t>(grads[1])},
                                                {write<scalar_t>(grads[2])}},
                         range);
      });
    });
    return grads;
  }

private:
  static Tensor zero_rows(const variable_list& z, const Sizes& sizes) {
    return torch::zeros({sizes[0], sizes[1] + 3 * sizes[2] + 6 * sizes[3]}, z[0].options());
  }
};

Sizes checked(const Tensor& m, const Tensor& u, const Tensor& index, std::int64_t n_all, std::int64_t vectors,
              std::int64_t tensors) {
  check_bonds("aggregate", index, n_all);
  check_shape("aggregate", "messages", m, m, {index.size(1), -1});
  check_shape("aggregate", "unit", u, m, {index.size(1), 3});
  TORCH_CHECK(n_all >= 0 && vectors >= 0 && tensors >= 0 && vectors <= m.size(1) &&
                  tensors <= m.size(1) - vectors,
              "unnp::aggregate: ", vectors, " vectors and ", tensors, " tensors of ", m.size(1), " messages");
  return {n_all, m.size(1) - vectors - tensors, vectors, tensors};
}

Tensor aggregate(const Tensor& m, const Tensor& u, const Tensor& index, std::int64_t n_all,
                 std::int64_t vectors, std::int64_t tensors) {
  const auto sizes = checked(m, u, index, n_all, vectors, tensors);
  return Aggregate::forward(contiguous({m, u}), index.contiguous(), sizes);
}
Tensor aggregate_autograd(const Tensor& m, const Tensor& u, const Tensor& index, std::int64_t n_all,
                          std::int64_t vectors, std::int64_t tensors) {
  const auto sizes = checked(m, u, index, n_all, vectors, tensors);
  return differentiable<Aggregate>(contiguous({m, u}), index.contiguous(), sizes);
}

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("aggregate(Tensor messages, Tensor unit, Tensor bond_index, int n_all, int vectors, int "
              "tensors) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("aggregate", aggregate);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("aggregate", aggregate_autograd);
}

} // namespace unnp::ops
