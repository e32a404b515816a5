#include "check.h"

#include <cstdio>

int main() {
  int n_failed = 0;
  for (const auto& test : check::cases()) {
    try {
      test.run();
      std::printf("passed %s\n", test.name);
    } catch (const std::exception& error) {
      std::printf("FAILED %s\n  %s\n", test.name, error.what());
      ++n_failed;
    }
  }
  std::printf("%zu tests, %d failed\n", check::cases().size(), n_failed);
  return n_failed == 0 ? 0 : 1;
}
