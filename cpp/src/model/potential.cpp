#include "unnp/potential.h"

#include "derivatives.h"
#include "evaluator.h"
#include "model_file/model_file.h"
#include "model_file/number_types.h"
#include "network_check.h"
#include "torch_errors.h"
#include "unnp/build_info.h"
#include "unnp/error.h"

#include <ATen/Parallel.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/cuda.h>

#include <algorithm>
#include <sstream>
#include <string_view>

namespace unnp {

struct Potential::Implementation {
  Manifest manifest;
  std::string dtype;
  Evaluator evaluator;
};

namespace {

at::Device parse_device(const std::string& text) {
  if (text == "cpu")
    return at::kCPU;
  const auto number = text.starts_with("cuda:") ? std::string_view(text).substr(5) : std::string_view();
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (number.empty() || number.size() > 3 || !std::ranges::all_of(number, is_digit))
    throw Error("device '" + text + "' is unknown; cpu, cuda and cuda:N are.");
  const at::Device device(text);
  if (const int n = n_cuda_devices(); device.index() >= n)
    throw Error("device '" + text + "' was asked for, but torch sees " + std::to_string(n) +
                " GPUs. Use device cpu or auto, or install a CUDA build of torch on a machine with a GPU.");
  return device;
}

at::ScalarType parse_dtype(const std::string& dtype) {
  return dtype == "float32" ? at::kFloat : at::kDouble;
}

std::string chosen_dtype(const std::string& asked, const Manifest& manifest) {
  if (asked == "model")
    return manifest.dtype;
  if (asked != "float32" && asked != "float64")
    throw Error("dtype '" + asked + "' is unknown; model, float32 and float64 are.");
  return asked;
}

/// From the bytes that were checked, whatever has become of the file meanwhile.
torch::jit::Module load_module(std::string content, at::Device device, const std::string& source) {
  torch::jit::Module module;
  std::istringstream stream(std::move(content));
  with_clear_errors("torch " + build_info().torch_running + " cannot load the model " + source,
                    [&] { module = torch::jit::load(stream, device); });
  return module;
}

void check_methods(const torch::jit::Module& module, const std::string& path) {
  for (const auto* name : {"forward", "members", "features", "outputs"}) {
    const auto method = module.find_method(name);
    if (!method || method->function().getSchema().arguments().size() != 8)
      throw Error(
          "the model " + path + " has no method " + name +
          "(species, bond_index, bond_vector, graph, head, n_updated, halo). Export the model again.");
  }
}

void check_dtype(const torch::jit::Module& module, const std::string& dtype, const std::string& source) {
  for (const auto& parameter : module.named_parameters())
    if (parameter.value.is_floating_point() && parameter.value.scalar_type() != parse_dtype(dtype) &&
        !keeps_float64(parameter.name))
      throw Error(source + ": the manifest says dtype " + dtype +
                  ", but the parameters are of another. Export the model "
                  "again.");
}

void convert(torch::jit::Module& module, at::ScalarType to, const std::string& source) {
  bool has_tensors = false;
  const auto convert_tensor = [&](const std::string& name, at::Tensor tensor) {
    has_tensors = true;
    if (tensor.is_floating_point() && !keeps_float64(name))
      tensor.set_data(tensor.to(to));
  };
  for (const auto& parameter : module.named_parameters())
    convert_tensor(parameter.name, parameter.value);
  for (const auto& buffer : module.named_buffers())
    convert_tensor(buffer.name, buffer.value);
  if (!has_tensors)
    throw Error(source +
                " is frozen in its own number type; open it with dtype 'model', or export it again.");
}

} // namespace

Potential::Potential(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Potential::Potential(Potential&&) noexcept = default;
Potential& Potential::operator=(Potential&&) noexcept = default;
Potential::~Potential() = default;

Potential Potential::load(const std::string& path, const PotentialOptions& options) {
  check_torch_abi();
  const auto source = "'" + path + "'";
  auto file = read_model_file(path, source);
  auto manifest = parse_manifest(file.manifest, path);
  check_torch_supported(manifest, build_info().torch_running, path);
  check_members(file.members, source);
  const auto device = parse_device(options.device);
  const auto dtype = chosen_dtype(options.dtype, manifest);
  if (options.threads > 0)
    at::set_num_threads(options.threads);
  auto module = load_module(std::move(file.content), device, source);
  check_methods(module, source);
  module.eval();
  check_dtype(module, manifest.dtype, source);
  for (auto parameter : module.parameters())
    parameter.requires_grad_(false);
  Evaluator as_exported(module, device, parse_dtype(manifest.dtype));
  check_network(
      manifest,
      [&](const std::string& method, const System& system) {
        return as_exported.energies(method, system, source);
      },
      source);
  if (dtype != manifest.dtype)
    convert(module, parse_dtype(dtype), source);
  return Potential(std::make_unique<Implementation>(
      Implementation{std::move(manifest), dtype, Evaluator(std::move(module), device, parse_dtype(dtype))}));
}

const Manifest& Potential::manifest() const {
  return implementation_->manifest;
}
const std::string& Potential::dtype() const {
  return implementation_->dtype;
}
std::string Potential::checksum_of_weights() const {
  return implementation_->evaluator.checksum_of_weights();
}
const Timings& Potential::timings() const {
  return implementation_->evaluator.timings;
}
void Potential::reset_timings() {
  implementation_->evaluator.timings = {};
}

void Potential::evaluate(const System& system, bool atom_virial, Evaluation& result) {
  implementation_->evaluator.evaluate(system, atom_virial, result);
}

void Potential::evaluate_members(const System& system, bool atom_virial, Evaluation& mean,
                                 std::vector<Evaluation>& members) {
  implementation_->evaluator.evaluate_members(system, atom_virial, mean, members);
}

void Potential::evaluate_output(const System& system, const std::string& output, bool atom_virial,
                                Evaluation& result) {
  implementation_->evaluator.evaluate_output(system, manifest().output(output), atom_virial, result);
}

std::vector<double> Potential::output(const System& system, const std::string& output) {
  return implementation_->evaluator.values(system, manifest().output(output));
}

int n_cuda_devices() {
  return static_cast<int>(torch::cuda::device_count());
}

} // namespace unnp
