#include "check.h"

#include "unnp/error.h"

TEST(suggests_the_closest_word) {
  CHECK(unnp::did_you_mean("devcie", {"halo", "device"}) == " Did you mean 'device'?");
  CHECK(unnp::did_you_mean("xyz", {"halo", "device"}).empty());
  CHECK(unnp::did_you_mean("Alu", {"Ni", "Al"}) == " Did you mean 'Al'?");
  CHECK(unnp::did_you_mean("", {}).empty());
}

TEST(joins_words) {
  CHECK(unnp::join({"a", "b"}) == "a, b");
  CHECK(unnp::join({}).empty());
}
