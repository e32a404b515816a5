#include "check.h"
#include "fake_halo.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/autograd.h>

namespace {

at::Tensor call(const char* name, const at::Tensor& rows, std::int64_t n, std::int64_t halo) {
  return c10::Dispatcher::singleton()
      .findSchemaOrThrow(name, "")
      .typed<at::Tensor(const at::Tensor&, std::int64_t, std::int64_t)>()
      .call(rows, n, halo);
}

at::Tensor exchange(const at::Tensor& h, std::int64_t n_all, std::int64_t halo) {
  return call("unnp::exchange", h, n_all, halo);
}

} // namespace

TEST(exchange_copies_owned_rows_and_fetches_ghosts) {
  FakeHalo halo(3, {2, 0});
  const unnp::HaloRegistration registration(halo);
  const auto h = at::rand({3, 2, 3}, at::kDouble);
  const auto all = exchange(h, 5, registration.handle());
  CHECK(all.sizes() == at::IntArrayRef({5, 2, 3}));
  CHECK(all.narrow(0, 0, 3).equal(h) && all[3].equal(h[2]) && all[4].equal(h[0]));
  CHECK(halo.fetched_widths == std::vector<std::int64_t>{6});
  CHECK_ERROR(exchange(h, 4, registration.handle()), "but the halo has 3 owned of 5 atoms");
  CHECK_ERROR(exchange(h.to(at::kLong), 5, registration.handle()), "float32 or float64");
  CHECK_ERROR(exchange(h, 5, 12345), "there is no halo with handle 12345");
}

TEST(backward_is_the_transpose_of_exchange) {
  FakeHalo halo(3, {2, 0, 2});
  const unnp::HaloRegistration registration(halo);
  const auto h = at::rand({3, 2}, at::kDouble).requires_grad_(true);
  const auto weights = at::rand({6, 2}, at::kDouble);
  const auto total = (exchange(h, 6, registration.handle()) * weights).sum();
  const auto gradient = torch::autograd::grad({total}, {h})[0];
  auto expected = weights.narrow(0, 0, 3).clone();
  expected[2] += weights[3] + weights[5];
  expected[0] += weights[4];
  CHECK(at::allclose(gradient, expected));
}

TEST(exchange_can_be_differentiated_twice) {
  FakeHalo halo(2, {1, 1});
  const unnp::HaloRegistration registration(halo);
  const auto h = at::rand({2, 1}, at::kDouble).requires_grad_(true);
  const auto total = exchange(h * h, 4, registration.handle()).pow(2).sum(); // h0^4 + 3 h1^4
  const auto first = torch::autograd::grad({total}, {h}, {}, true, true)[0];
  const auto second = torch::autograd::grad({first.sum()}, {h})[0];
  const auto factor = at::tensor({1.0, 3.0}, at::kDouble).view({2, 1});
  CHECK(at::allclose(first, 4 * factor * h.pow(3)));
  CHECK(at::allclose(second, 12 * factor * h.pow(2)));
}

TEST(halo_zero_is_a_copy) {
  const auto h = at::rand({3, 2}, at::kDouble).requires_grad_(true);
  const auto all = exchange(h, 3, 0);
  CHECK(all.equal(h) && all.data_ptr() != h.data_ptr());
  CHECK(torch::autograd::grad({all.sum()}, {h})[0].equal(at::ones({3, 2}, at::kDouble)));
  CHECK_ERROR(exchange(h, 4, 0), "halo 0 has no ghosts");
}
