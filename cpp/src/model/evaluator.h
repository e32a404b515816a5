#pragma once

#include "unnp/potential.h"
#include "weights.h"

#include <torch/csrc/jit/api/module.h>

namespace unnp {

/// Runs a scripted model forward and backward.
class Evaluator {
public:
  Evaluator(torch::jit::Module module, at::Device device, at::ScalarType dtype);

  void evaluate(const System& system, bool atom_virial, Evaluation& result);
  void evaluate_members(const System& system, bool atom_virial, Evaluation& mean,
                        std::vector<Evaluation>& members);

  /// An output that is a number for each atom or for the structure, in the place of the energy.
  void evaluate_output(const System& system, const Output& output, bool atom_virial, Evaluation& result);
  /// All numbers of an output, of the owned atoms or of the structure.
  std::vector<double> values(const System& system, const Output& output);

  /// All energies that a method gives, (n_members, n_updated) or (n_updated); throws Error, which begins with
  /// `source`, where it cannot be run.
  std::vector<double> energies(const std::string& method, const System& system, const std::string& source);

  std::string checksum_of_weights() const { return unnp::checksum_of_weights(module_); }

  Timings timings;

private:
  struct Forward {
    at::Tensor bond_vector;
    at::Tensor energy;
  };
  using Arguments = std::vector<c10::IValue>;
  Arguments arguments(const System& system, bool with_gradient) const;
  Forward forward(const std::string& method, const System& system, bool with_gradient = true);
  Forward forward_output(const System& system, const Output& output, bool with_gradient);
  at::Tensor backward(const at::Tensor& energy, const at::Tensor& bond_vector, const System& system,
                      bool keep_graph);
  void derivatives(const at::Tensor& gradient, const System& system, bool atom_virial, Evaluation& result);

  torch::jit::Module module_;
  at::Device device_;
  at::ScalarType dtype_;
};

} // namespace unnp
