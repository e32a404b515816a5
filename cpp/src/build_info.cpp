#include "unnp/build_info.h"

#include "unnp/error.h"

#include <caffe2/core/common.h>
#include <torch/version.h>

namespace unnp {

namespace {

std::string major_minor(const std::string& version) {
  const auto dot = version.find('.');
  return version.substr(0, version.find_first_not_of("0123456789", dot + 1));
}

} // namespace

BuildInfo build_info() {
  const auto& options = caffe2::GetBuildOptions();
  const auto running = options.find("TORCH_VERSION");
  return {.version = UNNP_VERSION,
          .torch_built = TORCH_VERSION,
          .torch_running = running == options.end() ? TORCH_VERSION : running->second,
          .compiler = __VERSION__,
          .cxx11_abi = _GLIBCXX_USE_CXX11_ABI};
}

void check_torch_abi() {
  const auto info = build_info();
  if (major_minor(info.torch_built) != major_minor(info.torch_running))
    throw Error(
        "unnp was built for torch " + info.torch_built + ", but torch " + info.torch_running +
        " is loaded. Install unnp again beside this torch: pip install --no-build-isolation --no-deps "
        "--force-reinstall unnp");
}

} // namespace unnp
