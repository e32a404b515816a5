#pragma once

#include "unnp/json.h"

#include <cstdint>
#include <optional>
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

/// The covered values of the order parameter, and the width of umbrellas and hills along it.
struct OrderAxis {
  double low = 0.0;
  double high = 1.0;
  double sigma = 0.0;

  double width() const { return high - low; }
};

/// What the bias is to cover, whatever its mode. Energies are in the energy unit of the simulation.
struct Ensemble {
  double boltzmann = 0.0;           ///< k
  double temperature = 0.0;         ///< T0, of the thermostat
  std::vector<double> temperatures; ///< T_l to cover, rising
  std::optional<OrderAxis> order;   ///< without it the bias depends on H alone

  double thermal_energy() const { return boltzmann * temperature; } ///< k T0
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

  /// How many samples it has learnt from.
  virtual std::int64_t updates() const = 0;

  /// What has been learnt, for `restore`.
  virtual Json::Object state() const = 0;

  /// Throws Error where the state belongs to other settings.
  virtual void restore(const Json::Object& state) = 0;

  /// Mean of the bias that the sampling has put in (opes, wt); reporting only.
  virtual double rct() const { return 0.0; }

  /// Whether samples have a known density only where the bias was frozen. Otherwise those of a bias that
  /// hardly changes any more are good too.
  virtual bool needs_freezing() const { return false; }
};

} // namespace unnp::momt
