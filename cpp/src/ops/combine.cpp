#include "combine.h"

#include "checks.h"
#include "differentiable.h"
#include "launch.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {atom, zb, db, f}; h their tangents or empty.
template <typename T>
CombineIn<T> combine_in(const variable_list& z, const variable_list& h, const Tensor& g) {
  const auto field = [&](std::size_t k) { return reader<T>(z[k], h.empty() ? Tensor() : h[k]); };
  return {field(0), field(1), field(2), field(3), reader<T>(g), static_cast<int>(z[1].size(1))};
}

struct Combine {
  static Tensor forward(const variable_list& z, const Tensor& index, const Sizes&) {
    Tensor value = torch::empty_like(z[1]);
    AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "unnp::combine", [&] {
      const auto in = combine_in<scalar_t>(z, {}, Tensor());
      const CombineOut<scalar_t> out{{write<scalar_t>(value)}, {}, {}, {}, {}};
      over_bonds(index, {}, [&](const Range& range, const auto&) { combine_value(in, out, range); });
    });
    return value;
  }

  static variable_list backward(const Tensor& g, const variable_list& z, const Tensor& index, const Sizes&) {
    variable_list grads = gradients(z);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::combine", [&] {
      const auto in = combine_in<scalar_t>(z, {}, g);
      over_bonds(index, {grads[0]}, [&](const Range& range, const auto& rows) {
        combine_gradient(in, outputs<scalar_t>(Tensor(), rows, grads), range);
      });
    });
    return grads;
  }

  static variable_list double_backward(const Tensor& g, const variable_list& z, const Tensor& index,
                                       const Sizes&, const variable_list& h) {
    variable_list grads = gradients(z);
    const Tensor value = torch::empty_like(g);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::combine", [&] {
      const auto in = combine_in<scalar_t>(z, h, g);
      over_bonds(index, {grads[0]}, [&](const Range& range, const auto& rows) {
        combine_double(in, outputs<scalar_t>(value, rows, grads), range);
      });
    });
    grads.insert(grads.begin(), value);
    return grads;
  }

private:
  static variable_list gradients(const variable_list& z) {
    return {torch::zeros_like(z[0]), torch::empty_like(z[1]), torch::empty_like(z[2]),
            torch::empty_like(z[3])};
  }
  template <typename T>
  static CombineOut<T> outputs(const Tensor& value, const std::vector<Tensor>& rows,
                               const variable_list& grads) {
    return {{value.defined() ? write<T>(value) : nullptr},
            {write<T>(rows[0])},
            {write<T>(grads[1])},
            {write<T>(grads[2])},
            {write<T>(grads[3])}};
  }
};

variable_list checked(const Tensor& atom, const Tensor& zb, const Tensor& db, const Tensor& f,
                      const Tensor& index) {
  check_shape("combine", "atom", atom, atom, {-1, -1});
  check_bonds("combine", index, atom.size(0));
  const auto n_bonds = index.size(1), channels = atom.size(1) / 2;
  check_shape("combine", "atom", atom, atom, {-1, 2 * channels});
  check_shape("combine", "zb", zb, atom, {n_bonds, channels});
  const bool has_odd = db.dim() > 0 && db.size(0) > 0;
  check_shape("combine", "db", db, atom, {has_odd ? n_bonds : 0, has_odd ? channels : -1});
  check_shape("combine", "f", f, atom, {n_bonds, 1});
  return contiguous({atom, zb, db, f});
}

Tensor combine(const Tensor& atom, const Tensor& zb, const Tensor& db, const Tensor& f, const Tensor& index) {
  return Combine::forward(checked(atom, zb, db, f, index), index.contiguous(), {});
}
Tensor combine_autograd(const Tensor& atom, const Tensor& zb, const Tensor& db, const Tensor& f,
                        const Tensor& index) {
  return differentiable<Combine>(checked(atom, zb, db, f, index), index.contiguous(), {});
}

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("combine(Tensor atom, Tensor zb, Tensor db, Tensor f, Tensor bond_index) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("combine", combine);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("combine", combine_autograd);
}

} // namespace unnp::ops
