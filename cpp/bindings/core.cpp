// unnp._core: what Python asks of the core library. Loading this module also registers the ops
// unnp::exchange*.
#include "model/network_check.h"
#include "model/torch_errors.h"
#include "unnp/build_info.h"
#include "unnp/manifest.h"
#include "unnp/potential.h"

#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace {

template <typename Number>
py::bytes bytes_of(std::span<const Number> numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()};
}

using RunInPython = std::function<std::vector<double>(
    const std::string& method, py::bytes species, py::bytes bond_index, py::bytes bond_vector,
    std::int64_t head, std::int64_t n_updated, std::int64_t halo)>;

void check_network(const std::string& manifest, const RunInPython& run, const std::string& source) {
  unnp::check_network(
      unnp::parse_manifest(manifest, source),
      [&](const std::string& method, const unnp::System& system) {
        return run(method, bytes_of(system.species), bytes_of(system.bond_index),
                   bytes_of(system.bond_vector), system.head, system.n_updated, system.halo);
      },
      source);
}

} // namespace

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
  module.def(
      "check_members", &unnp::check_members, py::arg("members"), py::arg("source"),
      "Raise RuntimeError where names in the code of a model are those of operators that are not allowed.");
  module.def("check_network", &check_network, py::arg("manifest"), py::arg("run"), py::arg("source"),
             "Raise RuntimeError where a network is not as its manifest says; `run` evaluates it.");
  module.def(
      "recorded_widths",
      [](std::int64_t n_atoms, const std::function<void(std::int64_t)>& run) {
        auto recorded = unnp::recorded_widths(n_atoms, run);
        return std::pair{std::move(recorded.exchanges), std::move(recorded.sums)};
      },
      py::arg("n_atoms"), py::arg("run"),
      "Numbers per atom of each exchange, and numbers of each sum over ranks, that `run` makes with the halo "
      "it "
      "is given.");
  module.def("reason_of", &unnp::reason_of, py::arg("what"),
             "What an exception of torch is about, on one line.");
  module.def("n_cuda_devices", &unnp::n_cuda_devices);
}
