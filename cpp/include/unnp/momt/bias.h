#pragma once

#include "unnp/json.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// The bias of multi-order multi-thermal sampling (MOMT): a function Vb(H, s) of the enthalpy H = E + P0 V
/// and an order parameter s that is adapted until a simulation at the temperature T0 visits all H of a range
/// of temperatures and all s. Knows nothing of atoms.
namespace unnp::momt {

/// Vb and its derivatives at one point.
struct BiasValue {
  double energy = 0.0;       ///< Vb
  double per_enthalpy = 0.0; ///< dVb/dH
  double per_order = 0.0;    ///< dVb/ds
};

/// What one walker saw at an update.
struct Sample {
  double enthalpy = 0.0;
  double order = 0.0;
  double bias = 0.0; ///< Vb under which it was sampled
};

/// Equal intervals between two ends.
struct Range {
  double low = 0.0;
  double high = 0.0;
  int n = 0;
};

/// The most numbers that a bias may consist of: states, hills or bins.
constexpr double most_numbers = 1e6;

/// Energies in the energy unit of the simulation.
struct BiasSettings {
  std::string mode = "opes";
  double boltzmann = 0.0;           ///< k
  double temperature = 0.0;         ///< T0, of the thermostat
  std::vector<double> temperatures; ///< T_l to cover, rising
  bool has_order = true;            ///< false: the bias depends on H alone
  double order_low = 0.0;
  double order_high = 1.0;
  double sigma = 0.0; ///< width of umbrellas (opes) and hills (wt) in s
  double free = 0.0;  ///< opes: share of the samples that states without umbrella are to get
  double bridge_low = 0.0, bridge_high = 0.0; ///< opes: temperatures that have umbrellas
  std::int64_t observe = 0; ///< opes, wt: updates without bias at the start, which give its first guess
  double barrier = 0.0;     ///< opes: first guess of the free energy of unseen umbrellas, in k T0
  double memory = 0.0;      ///< opes: updates that are remembered at first, 0 for all
  double height = 0.0;      ///< wt: of the hills
  double gamma = 0.0;       ///< wt: bias factor
  Range enthalpy;           ///< wl: grid of H + tilt s
  double tilt = 0.0;        ///< wl
  int order_bins = 0;       ///< wl
  double increment = 0.0;   ///< wl: first increment of ln n

  /// Whether a temperature has umbrellas.
  bool bridges(double temperature) const {
    const double rounding = 1e-6 * temperature; // of what is written as text
    return temperature >= bridge_low - rounding && temperature <= bridge_high + rounding;
  }
};

class Bias {
public:
  virtual ~Bias() = default;

  virtual BiasValue at(double enthalpy, double order) const = 0;

  /// What `at` returns from now on: the bias as it is learnt, or for good. Hills and increments make the
  /// former swing about what the sampling asks for; frozen, it is their mean over time (wt, wl).
  virtual void freeze(bool) {}

  /// Learns from one sample. `passages` is how often the walkers have gone from one phase to the other so
  /// far.
  virtual void update(const Sample& sample, std::int64_t passages) = 0;

  /// What has been learnt, for `restore`.
  virtual Json::Object state() const = 0;

  /// Throws Error where the state belongs to other settings.
  virtual void restore(const Json::Object& state) = 0;

  /// Mean of the bias that the sampling has put in (opes, wt); reporting only.
  virtual double rct() const { return 0.0; }
};

/// Throws Error where a setting has an impossible value, or would make the bias larger than `most_numbers`.
std::unique_ptr<Bias> make_bias(const BiasSettings& settings);

} // namespace unnp::momt
