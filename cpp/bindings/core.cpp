// unnp._core: what Python asks of the core library. Loading this module also registers the ops
// unnp::exchange*.
#include "unnp/build_info.h"
#include "unnp/manifest.h"
#include "unnp/potential.h"

#include <pybind11/pybind11.h>

namespace py = pybind11;

PYBIND11_MODULE(_core, module) {
  module.doc() = "Bindings of the unnp core library.";
  module.def("build_info", [] {
    const auto info = unnp::build_info();
    return py::dict(py::arg("version") = info.version, py::arg("torch_built") = info.torch_built,
                    py::arg("torch_running") = info.torch_running, py::arg("compiler") = info.compiler,
                    py::arg("cxx11_abi") = info.cxx11_abi);
  });
  module.def(
      "check_manifest",
      [](const std::string& text, const std::string& source) { unnp::parse_manifest(text, source); },
      py::arg("text"), py::arg("source"), "Raise RuntimeError where the engine would refuse this manifest.");
  module.def(
      "check_model", [](const std::string& path) { unnp::Potential::load(path, {}); }, py::arg("path"),
      "Raise RuntimeError where the engine would refuse this file.");
  module.def("n_cuda_devices", &unnp::n_cuda_devices);
}
