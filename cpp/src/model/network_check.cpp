#include "network_check.h"

#include "bar.h"
#include "unnp/error.h"
#include "unnp/halo.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace unnp {

namespace {

/// Notes what is exchanged and summed; every ghost is an image of the last owned atom.
class RecordingHalo : public Halo {
public:
  RecordingHalo(std::int64_t n_owned, std::int64_t n_all) : n_owned_(n_owned), n_all_(n_all) {}

  std::int64_t n_owned() const override { return n_owned_; }
  std::int64_t n_all() const override { return n_all_; }

  std::vector<RowFormat> formats, sums;

protected:
  void fetch(std::byte* rows, RowFormat format) override {
    formats.push_back(format);
    for (auto ghost = n_owned_; ghost < n_all_; ++ghost)
      std::memcpy(rows + static_cast<std::size_t>(ghost) * format.bytes(),
                  rows + static_cast<std::size_t>(n_owned_ - 1) * format.bytes(), format.bytes());
  }
  void add(std::byte*, RowFormat) override {}
  void sum_over_ranks(std::byte*, RowFormat format) override { sums.push_back(format); }

private:
  std::int64_t n_owned_, n_all_;
};

// One bond that is a little shorter than the network's cutoff is felt by less than a number in float32
// resolves.
constexpr int n_beyond = 128;
constexpr double golden_angle = 2.399963229728653;

/// Of each species (up to some) an isolated atom; the same species again in pairs, with many bonds just
/// beyond the cutoff, where none is felt; and an atom with a bond to a neighbour, which is a ghost where the
/// model runs with ghosts.
class Probe {
public:
  explicit Probe(const Manifest& manifest)
      : n_species_(std::min<std::int64_t>(std::ssize(manifest.elements), 4)) {
    for (std::int64_t copy = 0; copy < 2; ++copy)
      for (std::int64_t species = 0; species < n_species_; ++species)
        species_.push_back(species);
    species_.insert(species_.end(), {0, 0, 0});
    const auto first = n_species_, bonded = 2 * n_species_;
    for (std::int64_t pair = 0; pair < n_species_; ++pair)
      for (int k = 0; k < n_beyond; ++k)
        bond(first + pair, first + (pair + 1) % n_species_, manifest.cutoff * (1.0 + 1e-5), k);
    bond(bonded, bonded + 1, 0.5 * manifest.cutoff);
    bond(bonded + 1, bonded + 2, 0.6 * manifest.cutoff);
    flat_ = first_;
    flat_.insert(flat_.end(), second_.begin(), second_.end());
  }

  System system(bool with_ghost, std::int64_t halo) const {
    System system;
    system.n_owned = system.n_updated = std::ssize(species_) - (with_ghost ? 1 : 0);
    system.species = species_;
    system.bond_index = flat_;
    system.bond_vector = vectors_;
    system.halo = halo;
    return system;
  }

  std::int64_t n_species() const { return n_species_; }

  /// Largest change of an energy by bonds beyond the cutoff [eV]; energies that are not finite are for the
  /// run to report, which can name the atom.
  double felt_beyond(const double* energies) const {
    double largest = 0.0;
    for (std::int64_t k = 0; k < n_species_; ++k)
      largest =
          std::max(largest, std::abs(energies[k] - energies[n_species_ + k]) - 1e-9 * std::abs(energies[k]));
    return largest;
  }

private:
  /// A bond in one of many directions.
  void bond(std::int64_t i, std::int64_t j, double length, int direction = 0) {
    first_.push_back(i);
    second_.push_back(j);
    const double z = 1.0 - (2.0 * direction + 1.0) / n_beyond, across = std::sqrt(1.0 - z * z);
    vectors_.insert(vectors_.end(), {length * across * std::cos(golden_angle * direction),
                                     length * across * std::sin(golden_angle * direction), length * z});
  }

  std::int64_t n_species_;
  std::vector<std::int64_t> species_, first_, second_, flat_;
  std::vector<double> vectors_;
};

std::vector<std::int64_t> widths_of(const std::vector<RowFormat>& formats) {
  std::vector<std::int64_t> widths;
  for (const auto& format : formats)
    widths.push_back(format.width);
  return widths;
}

constexpr double tolerance = 2e-5;         // eV, of a network in float32
constexpr std::int64_t longest_bar = 2000; // atoms; a receptive field that needs more is not too short

class Check {
public:
  Check(const Manifest& manifest, const RunNetwork& run, std::string source)
      : manifest_(manifest), run_(run), source_(std::move(source)), probe_(manifest) {}

  void check() {
    for (std::int64_t head = 0; head < std::ssize(manifest_.heads); ++head)
      check_head(head);
    if (manifest_.pooling_widths.empty()) // else every atom is felt by all
      check_reach();
  }

private:
  void check_head(std::int64_t head) {
    const auto members = energies("members", head, manifest_.n_members);
    const auto mean = energies("forward", head, 1);
    const auto n_atoms = mean.size();
    for (std::size_t atom = 0; atom < n_atoms; ++atom) {
      double sum = 0.0;
      for (std::size_t start = 0; start < members.size(); start += n_atoms)
        sum += members[start + atom];
      const auto expected = sum / static_cast<double>(manifest_.n_members);
      if (std::abs(mean[atom] - expected) > 50 * tolerance + 1e-6 * std::abs(expected))
        fail("gives a mean energy that is not the mean of its members");
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(source_ + ": the network " + what +
                ": manifest and network do not belong together. "
                "Export the model again.");
  }

  std::vector<double> energies(const std::string& method, std::int64_t head, std::int64_t n_members) {
    const bool with_ghost = manifest_.halo != HaloKind::wide;
    auto system = probe_.system(with_ghost, 0);
    system.head = head;
    RecordingHalo halo(system.n_owned, system.n_all());
    const HaloRegistration registration(halo);
    if (manifest_.communicates())
      system.halo = registration.handle();
    const auto energies = run_(method, system);
    if (std::ssize(energies) != n_members * system.n_owned)
      fail("gives " + std::to_string(energies.size()) + " energies of " + std::to_string(n_members) +
           " members and " + std::to_string(system.n_owned) + " atoms");
    check_exchanges(halo);
    for (auto start = energies.data(); start != energies.data() + energies.size(); start += system.n_owned)
      check_cutoff(start);
    return energies;
  }

  void check_cutoff(const double* energies) const {
    if (const double felt = probe_.felt_beyond(energies); felt > tolerance)
      fail("sees beyond the cutoff of the manifest, " + std::to_string(manifest_.cutoff) +
           " A (bonds that are longer "
           "change an energy by " +
           std::to_string(felt) + " eV)");
  }

  /// With halo wide a rank leaves out what is beyond the receptive field.
  void check_reach() const {
    const Bar bar(manifest_.cutoff, manifest_.receptive_field, probe_.n_species());
    if (bar.size() > longest_bar)
      return;
    const auto near = bar.within(manifest_.receptive_field * (1.0 + 1e-5));
    const double whole = run_("forward", bar.system()).at(0),
                 felt = run_("forward", near.system()).at(0) - whole;
    if (std::abs(felt) > tolerance + 1e-6 * std::abs(whole))
      fail("sees beyond the receptive field of the manifest, " + std::to_string(manifest_.receptive_field) +
           " A (atoms that are farther away change an energy by " + std::to_string(std::abs(felt)) + " eV)");
  }

  void check_exchanges(const RecordingHalo& halo) const {
    if (!manifest_.communicates())
      return;
    for (const auto& format : halo.formats)
      if (format.scalar != (manifest_.dtype == "float32" ? Scalar::float32 : Scalar::float64))
        fail("exchanges numbers of another type than " + manifest_.dtype);
    compare("exchanges", widths_of(halo.formats), manifest_.exchange_widths, " numbers per atom");
    compare("sums", widths_of(halo.sums), manifest_.pooling_widths, " numbers over all atoms");
  }

  void compare(const std::string& verb, const std::vector<std::int64_t>& found,
               const std::vector<std::int64_t>& expected, const std::string& unit) const {
    if (found != expected)
      fail(verb + " " + listed(found) + unit + ", not " + listed(expected));
  }

  static std::string listed(const std::vector<std::int64_t>& widths) {
    if (widths.empty())
      return "no";
    std::vector<std::string> words;
    for (const auto width : widths)
      words.push_back(std::to_string(width));
    if (words.size() > 10)
      words.resize(10), words.emplace_back("...");
    return join(words);
  }

  const Manifest& manifest_;
  const RunNetwork& run_;
  std::string source_;
  Probe probe_;
};

} // namespace

Recorded recorded_widths(std::int64_t n_atoms, const std::function<void(std::int64_t halo)>& run) {
  RecordingHalo halo(n_atoms, n_atoms);
  const HaloRegistration registration(halo);
  run(registration.handle());
  return {widths_of(halo.formats), widths_of(halo.sums)};
}

void check_network(const Manifest& manifest, const RunNetwork& run, const std::string& source) {
  Check(manifest, run, source).check();
}

} // namespace unnp
