#include "check.h"
#include "fake_halo.h"

using unnp::RowFormat;
using unnp::Scalar;
using Widths = std::vector<std::int64_t>;

TEST(handles_live_as_long_as_their_registration) {
  FakeHalo halo(1, {});
  std::int64_t handle = 0;
  {
    const unnp::HaloRegistration registration(halo);
    handle = registration.handle();
    CHECK(handle != 0 && &unnp::find_halo(handle) == &halo);
  }
  CHECK_ERROR(unnp::find_halo(handle), "there is no halo with handle");
}

TEST(rank_without_gradient_takes_part_in_every_reverse_exchange) {
  FakeHalo halo(2, {0, 1});
  std::vector<double> rows(4 * 3);
  halo.begin_pass();
  for (const std::int64_t width : {1, 2, 3})
    halo.forward(rows.data(), {Scalar::float64, width});
  CHECK(halo.latest() == 2);
  halo.begin_backward();
  halo.end_backward();
  halo.end_pass();
  CHECK(halo.added_widths == (Widths{3, 2, 1}));
}

TEST(skipped_exchanges_are_made_up_for_in_order) {
  FakeHalo halo(2, {0, 1});
  std::vector<double> rows(4 * 3);
  halo.begin_pass();
  for (const std::int64_t width : {1, 2, 3})
    halo.forward(rows.data(), {Scalar::float64, width});
  for (int pass = 0; pass < 2; ++pass) { // as for two members of a committee
    halo.begin_backward();
    halo.begin_reverse(1); // the graph did not reach exchange 2
    halo.reverse(rows.data(), {Scalar::float64, 2});
    halo.end_backward();
  }
  halo.end_pass();
  CHECK(halo.added_widths == (Widths{3, 2, 1, 3, 2, 1}));
}

TEST(nothing_is_noted_outside_of_a_pass) {
  FakeHalo halo(2, {0, 1});
  std::vector<double> rows(4);
  halo.forward(rows.data(), {Scalar::float64, 1});
  halo.begin_reverse(0);
  CHECK(halo.latest() == -1 && halo.added_widths.empty());
}
