// The ops unnp::exchange and unnp::exchange_backward: each the transpose of the other, each the other's
// derivative.
#include "unnp/error.h"
#include "unnp/halo.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace unnp {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

RowFormat row_format(const at::Tensor& rows) {
  TORCH_CHECK(rows.dim() >= 1, "unnp::exchange: features need a first dimension that counts atoms");
  TORCH_CHECK(rows.scalar_type() == at::kFloat || rows.scalar_type() == at::kDouble,
              "unnp::exchange: features must be float32 or float64, not ", rows.scalar_type());
  const auto widths = rows.sizes().slice(1);
  return {rows.scalar_type() == at::kFloat ? Scalar::float32 : Scalar::float64,
          c10::multiply_integers(widths)};
}

std::vector<std::int64_t> with_rows(const at::Tensor& like, std::int64_t n_rows) {
  auto shape = like.sizes().vec();
  shape[0] = n_rows;
  return shape;
}

at::Tensor exchange_kernel(const at::Tensor& h, std::int64_t n_all, std::int64_t handle) {
  row_format(h);
  if (handle == 0) {
    TORCH_CHECK(n_all == h.size(0), "unnp::exchange: halo 0 has no ghosts, but n_all = ", n_all, " and ",
                h.size(0), " rows are given");
    return h.clone();
  }
  auto& halo = find_halo(handle);
  TORCH_CHECK(h.size(0) == halo.n_owned() && n_all == halo.n_all(), "unnp::exchange: ", h.size(0),
              " rows to ", n_all, ", but the halo has ", halo.n_owned(), " owned of ", halo.n_all(),
              " atoms");
  // LAMMPS communicates host memory: on a GPU only the rows travel, not the network.
  auto all = at::empty(with_rows(h, n_all), h.options().device(at::kCPU));
  all.narrow(0, 0, h.size(0)).copy_(h);
  halo.forward(all.data_ptr(), row_format(all));
  return all.to(h.device());
}

at::Tensor exchange_backward_kernel(const at::Tensor& g, std::int64_t n_owned, std::int64_t handle) {
  row_format(g);
  if (handle == 0) {
    TORCH_CHECK(n_owned == g.size(0), "unnp::exchange_backward: halo 0 has no ghosts");
    return g.clone();
  }
  auto& halo = find_halo(handle);
  TORCH_CHECK(g.size(0) == halo.n_all() && n_owned == halo.n_owned(), "unnp::exchange_backward: ", g.size(0),
              " rows to ", n_owned, ", but the halo has ", halo.n_owned(), " owned of ", halo.n_all(),
              " atoms");
  const auto all = at::empty(g.sizes(), g.options().device(at::kCPU));
  all.copy_(g);
  halo.reverse(all.data_ptr(), row_format(all));
  return all.narrow(0, 0, n_owned).to(g.device());
}

at::Tensor call_exchange(const at::Tensor& h, std::int64_t n_all, std::int64_t halo) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("unnp::exchange", "")
                             .typed<at::Tensor(const at::Tensor&, std::int64_t, std::int64_t)>();
  return op.call(h, n_all, halo);
}

at::Tensor call_exchange_backward(const at::Tensor& g, std::int64_t n_owned, std::int64_t halo) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("unnp::exchange_backward", "")
                             .typed<at::Tensor(const at::Tensor&, std::int64_t, std::int64_t)>();
  return op.call(g, n_owned, halo);
}

struct Exchange : torch::autograd::Function<Exchange> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& h, std::int64_t n_all,
                            std::int64_t handle) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    auto all = call_exchange(h, n_all, handle);
    context->saved_data["n_owned"] = h.size(0);
    context->saved_data["halo"] = handle;
    context->saved_data["exchange"] = handle == 0 ? std::int64_t{-1} : find_halo(handle).latest();
    return all;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradient) {
    const auto handle = context->saved_data["halo"].toInt();
    if (handle != 0)
      find_halo(handle).begin_reverse(context->saved_data["exchange"].toInt());
    return {call_exchange_backward(gradient[0], context->saved_data["n_owned"].toInt(), handle), {}, {}};
  }
};

struct ExchangeBackward : torch::autograd::Function<ExchangeBackward> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& g, std::int64_t n_owned,
                            std::int64_t handle) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    context->saved_data["n_all"] = g.size(0);
    context->saved_data["halo"] = handle;
    return call_exchange_backward(g, n_owned, handle);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradient) {
    return {
        call_exchange(gradient[0], context->saved_data["n_all"].toInt(), context->saved_data["halo"].toInt()),
        {},
        {}};
  }
};

at::Tensor exchange_autograd(const at::Tensor& h, std::int64_t n_all, std::int64_t halo) {
  return Exchange::apply(h, n_all, halo);
}

at::Tensor exchange_backward_autograd(const at::Tensor& g, std::int64_t n_owned, std::int64_t halo) {
  return ExchangeBackward::apply(g, n_owned, halo);
}

} // namespace

// Registered per backend and not as composite ops: the halo sees exactly one call per exchange.
TORCH_LIBRARY(unnp, library) {
  library.def("exchange(Tensor h, int n_all, int halo) -> Tensor");
  library.def("exchange_backward(Tensor g, int n_owned, int halo) -> Tensor");
}

TORCH_LIBRARY_IMPL(unnp, CPU, library) {
  library.impl("exchange", exchange_kernel);
  library.impl("exchange_backward", exchange_backward_kernel);
}

TORCH_LIBRARY_IMPL(unnp, CUDA, library) {
  library.impl("exchange", exchange_kernel);
  library.impl("exchange_backward", exchange_backward_kernel);
}

TORCH_LIBRARY_IMPL(unnp, AutogradCPU, library) {
  library.impl("exchange", exchange_autograd);
  library.impl("exchange_backward", exchange_backward_autograd);
}

TORCH_LIBRARY_IMPL(unnp, AutogradCUDA, library) {
  library.impl("exchange", exchange_autograd);
  library.impl("exchange_backward", exchange_backward_autograd);
}

} // namespace unnp
