#pragma once

#include "unnp/manifest.h"
#include "unnp/system.h"

#include <functional>
#include <string>
#include <vector>

namespace unnp {

/// Runs a method of the network ("forward" or "members") on a system and returns all its energies [eV].
using RunNetwork = std::function<std::vector<double>(const std::string& method, const System& system)>;

/// Compares a network with its manifest by evaluating a few atoms: number of energies and members, what is
/// exchanged, and that the network does not see beyond the cutoff, nor beyond the receptive field. Throws
/// Error that begins with `source`.
void check_network(const Manifest& manifest, const RunNetwork& run, const std::string& source);

/// What a network communicates, in order.
struct Recorded {
  std::vector<std::int64_t> exchanges; ///< numbers per atom of each exchange
  std::vector<std::int64_t> sums;      ///< numbers of each sum over all ranks
};

/// What `run` communicates through the halo of the handle it is given. All of the `n_atoms` atoms are owned:
/// there are no ghosts.
Recorded recorded_widths(std::int64_t n_atoms, const std::function<void(std::int64_t halo)>& run);

} // namespace unnp
