#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unnp {

inline constexpr int manifest_format_version = 1;
inline constexpr std::string_view manifest_name = "unnp.json";

/// How a model sees beyond its sub-domain.
enum class HaloKind {
  local,    ///< one cutoff is all it sees
  exchange, ///< features of ghosts are fetched between layers
  wide      ///< the ghost shell is as wide as the receptive field
};

std::string_view to_string(HaloKind kind);

/// A quantity that a model gives beside forces.
struct Output {
  std::string name;
  bool per_atom = true;            ///< else of the whole structure
  std::vector<std::int64_t> shape; ///< of one atom or structure; empty: a number
  std::string unit;                ///< empty: none

  /// Numbers of one atom or structure.
  std::int64_t width() const;
};

/// What an exported model says about itself: the fields the engine needs of the file's unnp.json.
struct Manifest {
  std::string name;
  std::string architecture;
  std::vector<std::string> elements; ///< position = species index
  double cutoff = 0.0;               ///< longest bond [A]
  double receptive_field = 0.0;      ///< how far an atom's energy reaches [A]
  HaloKind halo = HaloKind::local;
  std::vector<std::int64_t> exchange_widths;      ///< numbers per atom of each exchange
  std::vector<std::int64_t> pooling_widths;       ///< numbers of each sum over all atoms
  std::string dtype;                              ///< float32 | float64
  std::int64_t n_members = 1;                     ///< size of the committee
  std::map<std::string, double> deviation_scales; ///< "energy", "forces": factors that a calibration found
  std::string torch_version;                      ///< written with
  std::string torch_oldest = "2.11", torch_newest = "2.15"; ///< may be opened with
  std::int64_t n_parameters = 0;
  std::map<std::string, double> shortest_distances; ///< [A] in the training data, by "Al-Ni"
  std::vector<std::string> references;
  std::string licence;
  std::vector<std::string> heads; ///< levels of theory; the first is the default
  std::vector<Output> outputs;    ///< energy and features among them

  /// Whether ranks have to hear of each other for it, where the halo is not wide.
  bool communicates() const { return halo == HaloKind::exchange || !pooling_widths.empty(); }
  /// Factor on how far the members disagree in "energy" or "forces"; 1 where it is not calibrated.
  double deviation_scale(const std::string& quantity) const;
  /// Position of a head; of the first for an empty name. Throws Error for a name it does not have.
  std::int64_t head(const std::string& name) const;
  /// Throws Error for a name it does not have.
  const Output& output(const std::string& name) const;
};

/// Reads and checks a manifest; `source` names the file in errors. Throws Error.
Manifest parse_manifest(std::string_view text, const std::string& source);

/// Throws Error where `version` of torch is outside the range the file supports.
void check_torch_supported(const Manifest& manifest, const std::string& version, const std::string& source);

} // namespace unnp
