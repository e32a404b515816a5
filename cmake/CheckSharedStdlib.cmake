# Stops where the C++ standard library would be linked statically. Each of our libraries would hold a copy of it beside the one that
# torch uses, and streams and exceptions that pass between two copies crash: the first error message ends in a segmentation fault.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND NOT CMAKE_CROSSCOMPILING)
  include(CheckCXXSourceRuns)
  check_cxx_source_runs([[
#include <fstream>
#include <string>
int main() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find("libstdc++.so") != std::string::npos || line.find("libc++.so") != std::string::npos)
      return 0;
  return 1;
}]] UNNP_SHARED_STDLIB)
  if(NOT UNNP_SHARED_STDLIB)
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} links the C++ standard library statically, and torch uses the shared one. "
            "Take -static-libstdc++ out of LDFLAGS (now '$ENV{LDFLAGS}') or install the package with libstdc++.so "
            "(Debian: libstdc++-<version>-dev), and configure in a new folder.")
  endif()
endif()
