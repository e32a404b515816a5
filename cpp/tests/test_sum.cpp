#include "check.h"
#include "fake_halo.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/autograd.h>

using unnp::Scalar;
using Widths = std::vector<std::int64_t>;

namespace {

at::Tensor sum_over_ranks(const at::Tensor& values, std::int64_t halo) {
  return c10::Dispatcher::singleton()
      .findSchemaOrThrow("unnp::sum_over_ranks", "")
      .typed<at::Tensor(const at::Tensor&, std::int64_t)>()
      .call(values, halo);
}

} // namespace

TEST(sum_over_ranks_and_its_gradient_are_sums) {
  FakeHalo halo(1, {});
  const unnp::HaloRegistration registration(halo);
  const auto x = at::rand({1, 3}, at::kDouble).requires_grad_(true);
  const auto weights = at::rand({1, 3}, at::kDouble);
  const auto sum = sum_over_ranks(x, registration.handle());
  CHECK(sum.equal(2 * x) && halo.summed_widths == Widths{3});
  const auto gradient = torch::autograd::grad({(sum * weights).sum()}, {x})[0];
  CHECK(at::allclose(gradient, 2 * weights) && halo.summed_widths == (Widths{3, 3}));
  CHECK_ERROR(sum_over_ranks(x.to(at::kLong), registration.handle()), "float32 or float64");
  CHECK_ERROR(sum_over_ranks(x, 12345), "there is no halo with handle 12345");
}

TEST(sum_over_ranks_is_a_copy_without_a_halo) {
  const auto x = at::rand({2, 3}, at::kDouble).requires_grad_(true);
  const auto sum = sum_over_ranks(x, 0);
  CHECK(sum.equal(x) && sum.data_ptr() != x.data_ptr());
  CHECK(torch::autograd::grad({sum.sum()}, {x})[0].equal(at::ones({2, 3}, at::kDouble)));
}

TEST(rank_without_gradient_takes_part_in_sums_and_exchanges_in_order) {
  FakeHalo halo(2, {0, 1});
  std::vector<double> rows(4 * 3);
  halo.begin_pass();
  halo.forward(rows.data(), {Scalar::float64, 1});
  halo.sum(rows.data(), {Scalar::float64, 5});
  halo.forward(rows.data(), {Scalar::float64, 3});
  CHECK(halo.latest() == 2 && halo.summed_widths == Widths{5});
  halo.begin_backward();
  halo.begin_reverse(1); // the graph begins at the sum
  CHECK(halo.added_widths == Widths{3});
  halo.reverse_sum(rows.data(), {Scalar::float64, 5});
  halo.end_backward();
  CHECK(halo.added_widths == (Widths{3, 1}) && halo.summed_widths == (Widths{5, 5}));
  halo.begin_backward();
  halo.end_backward();
  halo.end_pass();
  CHECK(halo.added_widths == (Widths{3, 1, 3, 1}) && halo.summed_widths == (Widths{5, 5, 5}));
}
