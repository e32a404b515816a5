// unnp._model_files: the checks of exported files, which need no torch.
#include "model_file/allowed.h"
#include "model_file/model_file.h"
#include "model_file/number_types.h"
#include "unnp/manifest.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

PYBIND11_MODULE(_model_files, module) {
  module.doc() = "Checks of exported model files; RuntimeError says what is wrong.";
  py::class_<unnp::ModelFile>(module, "ModelFile")
      .def_property_readonly("content", [](const unnp::ModelFile& file) { return py::bytes(file.content); })
      .def_property_readonly("manifest", [](const unnp::ModelFile& file) { return py::bytes(file.manifest); })
      .def_readonly("members", &unnp::ModelFile::members);
  module.def(
      "read_model_file",
      [](const py::bytes& path, const std::string& source) { return unnp::read_model_file(path, source); },
      py::arg("path"), py::arg("source"), "Read and check a file; `source` names it in messages.");
  module.def(
      "check_manifest",
      [](const py::bytes& text, const std::string& source) {
        unnp::parse_manifest(std::string(text), source);
      },
      py::arg("text"), py::arg("source"), "Raise where the engine would refuse this manifest.");
  module.def(
      "checksum_of", [](const py::bytes& content) { return unnp::checksum_of(std::string(content)); },
      py::arg("content"), "The checksum for the manifest of an exported file.");
  module.def("keeps_float64", &unnp::keeps_float64, py::arg("name"),
             "Whether a parameter or buffer is in float64 whatever the network computes in.");
  module.def("is_allowed_function", &unnp::is_allowed_function, py::arg("name"));
  module.def("is_allowed_operator", &unnp::is_allowed_operator, py::arg("name"));
}
