#pragma once

#include "unnp/manifest.h"
#include "unnp/system.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace unnp {

/// How a model is opened.
struct PotentialOptions {
  std::string device = "cpu";  ///< cpu | cuda:N
  std::string dtype = "model"; ///< model | float32 | float64
  int threads = 0;             ///< of torch on the CPU, 0: leave as they are
};

/// Energies and their derivatives; the buffers are reused from call to call.
struct Evaluation {
  double energy = 0.0;             ///< of the owned atoms [eV]
  std::vector<double> atom_energy; ///< (n_owned) [eV]
  std::vector<double> forces;      ///< (n_all, 3) [eV/A]; those on ghosts belong to their owners
  std::array<double, 9> virial{};  ///< -sum r (x) dE/dr [eV], row-major
  std::vector<double> atom_virial; ///< (n_all, 9) [eV], half of each bond to each end; empty if not asked for
};

/// Wall time spent in the parts of an evaluation [s].
struct Timings {
  double forward = 0.0;
  double backward = 0.0;
  double exchange = 0.0;
  double forces = 0.0;
};

/// An exported model, ready to be evaluated.
class Potential {
public:
  /// Opens and checks a file of `unnp export`; throws Error with what is wrong and what to do.
  static Potential load(const std::string& path, const PotentialOptions& options);

  Potential(Potential&&) noexcept;
  Potential& operator=(Potential&&) noexcept;
  ~Potential();

  const Manifest& manifest() const;
  /// Number type it computes in: float32 | float64.
  const std::string& dtype() const;
  /// SHA-256 of its weights in float32, by which a file that was made for this model is known.
  std::string checksum_of_weights() const;
  const Timings& timings() const;
  void reset_timings();

  /// Energies, forces and virial of one rank's atoms. Collective where the system has a halo.
  void evaluate(const System& system, bool atom_virial, Evaluation& result);
  /// As evaluate, and each member of the committee by itself.
  void evaluate_members(const System& system, bool atom_virial, Evaluation& mean,
                        std::vector<Evaluation>& members);
  /// As evaluate, of another output that is a number for each atom or for the structure: it stands in the
  /// place of the energy, and its negative gradient in that of the forces. Throws Error for another name or
  /// shape.
  void evaluate_output(const System& system, const std::string& output, bool atom_virial, Evaluation& result);
  /// All numbers of any output, row by row, of the owned atoms or of the structure. Collective.
  std::vector<double> output(const System& system, const std::string& output);

private:
  struct Implementation;
  explicit Potential(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

/// Number of GPUs torch sees.
int n_cuda_devices();

/// First row whose energy or force is not finite, -1 where there is none.
std::int64_t first_bad_row(const Evaluation& evaluation);

} // namespace unnp
