#pragma once

#include <string>

namespace unnp {

/// What the core library was built with and what it runs with.
struct BuildInfo {
  std::string version;       ///< of unnp
  std::string torch_built;   ///< torch whose headers it was compiled with
  std::string torch_running; ///< torch that is loaded
  std::string compiler;
  int cxx11_abi = 1; ///< _GLIBCXX_USE_CXX11_ABI
};

BuildInfo build_info();

/// Throws Error where the loaded torch is not of the release the library was compiled with.
void check_torch_abi();

} // namespace unnp
