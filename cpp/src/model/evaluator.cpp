#include "evaluator.h"

#include "derivatives.h"
#include "torch_errors.h"
#include "unnp/error.h"
#include "unnp/halo.h"

#include <ATen/ATen.h>
#include <c10/core/AutogradState.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <chrono>
#include <optional>

namespace unnp {

namespace {

using Clock = std::chrono::steady_clock;

/// Adds the time of a scope to a sum, less the time spent communicating, which is counted by itself.
class Stopwatch {
public:
  Stopwatch(double& total, double& exchange, const Halo* halo)
      : total_(total), exchange_(exchange), halo_(halo), halo_start_(halo ? halo->seconds() : 0.0) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() {
    const double communicating = halo_ ? halo_->seconds() - halo_start_ : 0.0;
    total_ += std::chrono::duration<double>(Clock::now() - start_).count() - communicating;
    exchange_ += communicating;
  }

private:
  double& total_;
  double& exchange_;
  const Halo* halo_;
  double halo_start_;
  Clock::time_point start_ = Clock::now();
};

/// Backward on the calling thread: the halo's communication may not run beside other MPI calls.
class SingleThreadedBackward {
public:
  SingleThreadedBackward() : before_(c10::AutogradState::get_tls_state()) {
    auto state = before_;
    state.set_multithreading_enabled(false);
    state.set_grad_mode(true);
    c10::AutogradState::set_tls_state(state);
  }
  SingleThreadedBackward(const SingleThreadedBackward&) = delete;
  SingleThreadedBackward& operator=(const SingleThreadedBackward&) = delete;
  ~SingleThreadedBackward() { c10::AutogradState::set_tls_state(before_); }

private:
  c10::AutogradState before_;
};

/// One evaluation's pass through the halo, ended also by an exception.
class HaloPass {
public:
  explicit HaloPass(Halo* halo) : halo_(halo) {
    if (halo_)
      halo_->begin_pass();
  }
  HaloPass(const HaloPass&) = delete;
  HaloPass& operator=(const HaloPass&) = delete;
  ~HaloPass() {
    if (halo_)
      halo_->end_pass();
  }

private:
  Halo* halo_;
};

Halo* halo_of(const System& system) {
  return system.halo == 0 ? nullptr : &find_halo(system.halo);
}

at::Tensor view_int64(std::span<const std::int64_t> values) {
  return at::from_blob(const_cast<std::int64_t*>(values.data()), {static_cast<std::int64_t>(values.size())},
                       at::kLong);
}

constexpr auto evaluating = "torch failed while evaluating the model";

} // namespace

Evaluator::Evaluator(torch::jit::Module module, at::Device device, at::ScalarType dtype)
    : module_(std::move(module)), device_(device), dtype_(dtype) {}

std::vector<c10::IValue> Evaluator::arguments(const System& system, bool with_gradient) const {
  const auto n_bonds = system.n_bonds();
  const auto species = view_int64(system.species).to(device_);
  const auto bond_index = view_int64(system.bond_index).view({2, n_bonds}).to(device_);
  auto bond_vector = at::from_blob(const_cast<double*>(system.bond_vector.data()), {n_bonds, 3}, at::kDouble)
                         .to(at::TensorOptions(device_).dtype(dtype_))
                         .requires_grad_(with_gradient);
  // One structure: every atom belongs to graph 0, and there is one head.
  const auto graph = at::zeros_like(species);
  const auto head = at::full({1}, system.head, at::TensorOptions(device_).dtype(at::kLong));
  return {species, bond_index, bond_vector, graph, head, system.n_updated, system.halo};
}

Evaluator::Forward Evaluator::forward(const std::string& method, const System& system, bool with_gradient) {
  const Stopwatch watch(timings.forward, timings.exchange, halo_of(system));
  const auto given = arguments(system, with_gradient);
  return {given[2].toTensor(), module_.get_method(method)(given).toTensor()};
}

Evaluator::Forward Evaluator::forward_output(const System& system, const Output& output, bool with_gradient) {
  const Stopwatch watch(timings.forward, timings.exchange, halo_of(system));
  const auto given = arguments(system, with_gradient);
  const auto outputs = module_.get_method("outputs")(given).toGenericDict();
  const auto found = outputs.find(output.name);
  std::vector<std::int64_t> shape = output.shape;
  shape.insert(shape.begin(), output.per_atom ? system.n_updated : 1);
  if (found == outputs.end() || found->value().toTensor().sizes() != at::IntArrayRef(shape))
    throw Error("the model does not give the output '" + output.name +
                "' that its manifest declares. Export the model again.");
  return {given[2].toTensor(), found->value().toTensor()};
}

std::vector<double> Evaluator::energies(const std::string& method, const System& system,
                                        const std::string& source) {
  const torch::jit::GraphOptimizerEnabledGuard no_specialisation(false);
  const at::NoGradGuard no_gradient;
  at::Tensor energies;
  with_clear_errors(source + ": its network cannot be run", [&] {
    energies = forward(method, system, false).energy.to(at::kCPU);
    if (energies.scalar_type() != at::kDouble)
      throw Error(source + ": the network gives energies that are not float64. Export the model again.");
    energies = energies.contiguous();
  });
  timings = {};
  const auto* const first = energies.const_data_ptr<double>();
  return {first, first + energies.numel()};
}

at::Tensor Evaluator::backward(const at::Tensor& energy, const at::Tensor& bond_vector, const System& system,
                               bool keep_graph) {
  auto* const halo = halo_of(system);
  const Stopwatch watch(timings.backward, timings.exchange, halo);
  if (halo)
    halo->begin_backward();
  at::Tensor gradient;
  // A rank without bonds may have energies that depend on nothing; it still joins the others' exchanges
  // below.
  if (energy.requires_grad())
    gradient = torch::autograd::grad({energy}, {bond_vector}, {}, keep_graph, false, true)[0];
  if (halo)
    halo->end_backward();
  if (!gradient.defined())
    gradient = at::zeros_like(bond_vector);
  return gradient.detach().to(at::kCPU).contiguous();
}

void Evaluator::derivatives(const at::Tensor& gradient, const System& system, bool atom_virial,
                            Evaluation& result) {
  const Stopwatch watch(timings.forces, timings.exchange, nullptr);
  if (gradient.scalar_type() == at::kFloat)
    add_derivatives(system, gradient.const_data_ptr<float>(), atom_virial, result);
  else
    add_derivatives(system, gradient.const_data_ptr<double>(), atom_virial, result);
}

namespace {

std::int64_t rows_of(const Output& output, const System& system) {
  return output.per_atom ? system.n_owned : 1;
}

/// The energies of the owned atoms, which are the first, their sum, and a copy in the result.
at::Tensor sum_owned(const at::Tensor& energy, std::int64_t n_owned, Evaluation& result) {
  const auto owned = energy.narrow(0, 0, n_owned).to(at::kDouble);
  const auto host = owned.detach().to(at::kCPU).contiguous();
  result.atom_energy.assign(host.const_data_ptr<double>(), host.const_data_ptr<double>() + host.numel());
  const auto total = owned.sum();
  result.energy = total.item<double>();
  return total;
}

void check_shape(const at::Tensor& energy, at::IntArrayRef shape) {
  if (energy.sizes() != shape)
    throw Error("the model returned energies of a wrong shape. Export the model again.");
}

} // namespace

void Evaluator::evaluate(const System& system, bool atom_virial, Evaluation& result) {
  // The profiling executor would specialise the graph again for each new number of atoms and bonds.
  const torch::jit::GraphOptimizerEnabledGuard no_specialisation(false);
  const SingleThreadedBackward single_threaded;
  const HaloPass pass(halo_of(system));
  at::Tensor gradient;
  with_clear_errors(evaluating, [&] {
    const auto [bond_vector, energy] = forward("forward", system);
    check_shape(energy, {system.n_updated});
    gradient = backward(sum_owned(energy, system.n_owned, result), bond_vector, system, false);
  });
  derivatives(gradient, system, atom_virial, result);
}

void Evaluator::evaluate_output(const System& system, const Output& output, bool atom_virial,
                                Evaluation& result) {
  if (!output.shape.empty())
    throw Error("only outputs that are a number have derivatives, and '" + output.name + "' is none.");
  const torch::jit::GraphOptimizerEnabledGuard no_specialisation(false);
  const SingleThreadedBackward single_threaded;
  const HaloPass pass(halo_of(system));
  at::Tensor gradient;
  with_clear_errors(evaluating, [&] {
    const auto [bond_vector, value] = forward_output(system, output, true);
    gradient = backward(sum_owned(value, rows_of(output, system), result), bond_vector, system, false);
  });
  derivatives(gradient, system, atom_virial, result);
}

std::vector<double> Evaluator::values(const System& system, const Output& output) {
  const torch::jit::GraphOptimizerEnabledGuard no_specialisation(false);
  const at::NoGradGuard no_gradient;
  const HaloPass pass(halo_of(system));
  at::Tensor found;
  with_clear_errors(evaluating, [&] {
    found = forward_output(system, output, false).energy.narrow(0, 0, rows_of(output, system));
    found = found.to(at::kCPU, at::kDouble).contiguous();
  });
  const auto* const first = found.const_data_ptr<double>();
  return {first, first + found.numel()};
}

void Evaluator::evaluate_members(const System& system, bool atom_virial, Evaluation& mean,
                                 std::vector<Evaluation>& members) {
  const torch::jit::GraphOptimizerEnabledGuard no_specialisation(false);
  const SingleThreadedBackward single_threaded;
  const HaloPass pass(halo_of(system));
  at::Tensor gradient;
  with_clear_errors(evaluating, [&] {
    const auto [bond_vector, energies] = forward("members", system);
    const auto n_members = energies.size(0);
    check_shape(energies, {n_members, system.n_updated});
    members.resize(static_cast<std::size_t>(n_members));
    at::Tensor sum;
    for (std::int64_t k = 0; k < n_members; ++k) {
      auto& member = members[static_cast<std::size_t>(k)];
      const auto total = sum_owned(energies[k], system.n_owned, member);
      const auto member_gradient = backward(total, bond_vector, system, k + 1 < n_members);
      derivatives(member_gradient, system, false, member);
      sum = sum.defined() ? sum.add(member_gradient) : member_gradient;
    }
    sum_owned(energies.mean(0), system.n_owned, mean);
    gradient = sum.div(n_members);
  });
  derivatives(gradient, system, atom_virial, mean);
}

} // namespace unnp
