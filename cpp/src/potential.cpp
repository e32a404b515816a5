#include "unnp/potential.h"

#include "derivatives.h"
#include "evaluator.h"
#include "model_file.h"
#include "unnp/build_info.h"
#include "unnp/error.h"

#include <ATen/Parallel.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/cuda.h>

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
  if (!text.starts_with("cuda:"))
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

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

torch::jit::Module load_module(const std::string& path, at::Device device) {
  try {
    return torch::jit::load(path, device);
  } catch (const c10::Error& error) {
    throw Error("torch " + build_info().torch_running + " cannot load the model '" + path + "': " +
                first_line(error.what_without_backtrace()) + " Export the model again with this torch.");
  }
}

void check_methods(const torch::jit::Module& module, const std::string& path) {
  for (const auto* name : {"forward", "members"}) {
    const auto method = module.find_method(name);
    if (!method || method->function().getSchema().arguments().size() != 6)
      throw Error("the model '" + path + "' has no method " + name +
                  "(species, bond_index, bond_vector, n_owned, halo). Export the model again.");
  }
}

// Reference energies stay float64: they are summed in float64 whatever the network computes in.
void convert(torch::jit::Module& module, at::ScalarType from, at::ScalarType to) {
  const auto convert_tensor = [&](const std::string& name, at::Tensor tensor) {
    const bool is_reference = name.ends_with("reference_energies");
    if (tensor.scalar_type() == from && !is_reference)
      tensor.set_data(tensor.to(to));
  };
  for (const auto& parameter : module.named_parameters())
    convert_tensor(parameter.name, parameter.value);
  for (const auto& buffer : module.named_buffers())
    convert_tensor(buffer.name, buffer.value);
}

} // namespace

Potential::Potential(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Potential::Potential(Potential&&) noexcept = default;
Potential& Potential::operator=(Potential&&) noexcept = default;
Potential::~Potential() = default;

Potential Potential::load(const std::string& path, const PotentialOptions& options) {
  check_torch_abi();
  auto manifest = read_manifest(path);
  check_torch_supported(manifest, build_info().torch_running, path);
  const auto device = parse_device(options.device);
  const auto dtype = chosen_dtype(options.dtype, manifest);
  if (options.threads > 0)
    at::set_num_threads(options.threads);
  auto module = load_module(path, device);
  check_methods(module, path);
  module.eval();
  if (dtype != manifest.dtype)
    convert(module, parse_dtype(manifest.dtype), parse_dtype(dtype));
  for (auto parameter : module.parameters())
    parameter.requires_grad_(false);
  return Potential(std::make_unique<Implementation>(
      Implementation{std::move(manifest), dtype, Evaluator(std::move(module), device, parse_dtype(dtype))}));
}

const Manifest& Potential::manifest() const {
  return implementation_->manifest;
}
const std::string& Potential::dtype() const {
  return implementation_->dtype;
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

int n_cuda_devices() {
  return static_cast<int>(torch::cuda::device_count());
}

} // namespace unnp
