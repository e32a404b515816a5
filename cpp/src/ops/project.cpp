#include "project.h"

#include "checks.h"
#include "differentiable.h"
#include "launch.h"

#include <torch/library.h>

namespace unnp::ops {
namespace {

// z = {v, t, a, f, u}; h their tangents or empty.
template <typename T>
ProjectIn<T> project_in(const variable_list& z, const variable_list& h, const Tensor& g) {
  const auto field = [&](std::size_t k) { return reader<T>(z[k], h.empty() ? Tensor() : h[k]); };
  return {field(0), field(1), field(2), field(3), field(4), reader<T>(g), static_cast<int>(z[0].size(2))};
}

struct Project {
  static Tensor forward(const variable_list& z, const Tensor& index, const Sizes&) {
    Tensor value = torch::empty({index.size(1), 5 * z[0].size(2)}, z[0].options());
    AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "unnp::project", [&] {
      const auto in = project_in<scalar_t>(z, {}, Tensor());
      const ProjectOut<scalar_t> out{{write<scalar_t>(value)}, {}, {}, {}, {}, {}};
      over_bonds(index, {}, [&](const Range& range, const auto&) { project_value(in, out, range); });
    });
    return value;
  }

  static variable_list backward(const Tensor& g, const variable_list& z, const Tensor& index, const Sizes&) {
    variable_list grads = gradients(z);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::project", [&] {
      const auto in = project_in<scalar_t>(z, {}, g);
      over_bonds(index, {grads[0], grads[1]}, [&](const Range& range, const auto& rows) {
        project_gradient(in, outputs<scalar_t>(Tensor(), rows, grads), range);
      });
    });
    return grads;
  }

  static variable_list double_backward(const Tensor& g, const variable_list& z, const Tensor& index,
                                       const Sizes&, const variable_list& h) {
    variable_list grads = gradients(z);
    const Tensor value = torch::empty_like(g);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "unnp::project", [&] {
      const auto in = project_in<scalar_t>(z, h, g);
      over_bonds(index, {grads[0], grads[1]}, [&](const Range& range, const auto& rows) {
        project_double(in, outputs<scalar_t>(value, rows, grads), range);
      });
    });
    grads.insert(grads.begin(), value);
    return grads;
  }

private:
  static variable_list gradients(const variable_list& z) {
    return {torch::zeros_like(z[0]), torch::zeros_like(z[1]), torch::empty_like(z[2]),
            torch::empty_like(z[3]), torch::empty_like(z[4])};
  }
  template <typename T>
  static ProjectOut<T> outputs(const Tensor& value, const std::vector<Tensor>& rows,
                               const variable_list& grads) {
    return {{value.defined() ? write<T>(value) : nullptr},
            {write<T>(rows[0])},
            {write<T>(rows[1])},
            {write<T>(grads[2])},
            {write<T>(grads[3])},
            {write<T>(grads[4])}};
  }
};

variable_list checked(const Tensor& v, const Tensor& t, const Tensor& a, const Tensor& f, const Tensor& u,
                      const Tensor& index) {
  check_shape("project", "v", v, v, {-1, 3, -1});
  check_bonds("project", index, v.size(0));
  const auto n_bonds = index.size(1);
  check_shape("project", "t", t, v, {v.size(0), 6, v.size(2)});
  check_shape("project", "a", a, v, {n_bonds, v.size(2)});
  check_shape("project", "f", f, v, {n_bonds, 1});
  check_shape("project", "unit", u, v, {n_bonds, 3});
  return contiguous({v, t, a, f, u});
}

Tensor project(const Tensor& v, const Tensor& t, const Tensor& a, const Tensor& f, const Tensor& u,
               const Tensor& index) {
  return Project::forward(checked(v, t, a, f, u, index), index.contiguous(), {});
}
Tensor project_autograd(const Tensor& v, const Tensor& t, const Tensor& a, const Tensor& f, const Tensor& u,
                        const Tensor& index) {
  return differentiable<Project>(checked(v, t, a, f, u, index), index.contiguous(), {});
}

} // namespace

TORCH_LIBRARY_FRAGMENT(unnp, library) {
  library.def("project(Tensor v, Tensor t, Tensor a, Tensor f, Tensor unit, Tensor bond_index) -> Tensor");
}
TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("project", project);
}
TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("project", project_autograd);
}

} // namespace unnp::ops
