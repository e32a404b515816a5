#include "check.h"

#include "unnp/manifest.h"

namespace {

const std::string good =
    R"({"format_version": 1, "name": "al", "architecture": "teanet", "config": {"x": [1, {}]},
 "elements": ["Ni", "Al"], "cutoff": 5.0, "receptive_field": 15.0, "halo": "exchange", "exchange_widths": [64, 64],
 "dtype": "float32", "units": {"energy": "eV", "length": "angstrom"}, "heads": [{"name": "pbe", "reference_energies": {"Ni": -0.1, "Al": 0}, "groups": ["a"]},
 {"name": "r2scan", "reference_energies": {"Ni": -1, "Al": 0}}], "outputs": [
 {"name": "energy", "per": "atom", "shape": [], "unit": "eV"}, {"name": "features", "per": "atom", "shape": [64]},
 {"name": "dipole", "per": "structure", "shape": [3], "unit": "e A"}],
 "n_members": 1, "torch_version": "2.13.0+cpu", "torch_supported": ["2.11", "2.15"], "n_parameters": 10,
 "references": ["A"], "licence": "MIT"})";

std::string changed(const std::string& from, const std::string& to) {
  auto text = good;
  const auto at = text.find(from);
  CHECK(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

} // namespace

TEST(reads_a_manifest) {
  const auto manifest = unnp::parse_manifest(good, "m.pt");
  CHECK(manifest.elements.size() == 2 && manifest.elements[1] == "Al");
  CHECK(manifest.cutoff == 5.0 && manifest.receptive_field == 15.0);
  CHECK(manifest.halo == unnp::HaloKind::exchange && manifest.exchange_widths.size() == 2);
  CHECK(manifest.references.size() == 1 && manifest.licence == "MIT");
}

TEST(knows_heads_and_outputs) {
  const auto manifest = unnp::parse_manifest(good, "m.pt");
  CHECK(manifest.head("") == 0 && manifest.head("pbe") == 0 && manifest.head("r2scan") == 1);
  CHECK_ERROR(manifest.head("r2scam"), "no head 'r2scam'; it has pbe, r2scan. Did you mean 'r2scan'");
  CHECK(manifest.output("features").per_atom && manifest.output("features").width() == 64);
  CHECK(!manifest.output("dipole").per_atom && manifest.output("dipole").unit == "e A");
  CHECK(manifest.output("energy").shape.empty() && manifest.output("energy").width() == 1);
  CHECK_ERROR(manifest.output("charge"), "no output 'charge'; it has energy, features, dipole");
}

TEST(knows_the_shortest_distances_of_the_data) {
  const auto distances = [](const std::string& data) {
    return unnp::parse_manifest(changed("\"licence\"", "\"data\": " + data + ", \"licence\""), "m.pt")
        .shortest_distances;
  };
  const auto found =
      distances(R"({"shortest_distances": {"Al-Ni": 2.25, "Al-Al": "x", "Ni-Ni": -1, "a": 1e99}})");
  CHECK(found.size() == 1 && found.at("Al-Ni") == 2.25);
  CHECK(distances("{}").empty() && distances(R"({"shortest_distances": [2]})").empty());
}

TEST(knows_the_scales_of_deviations) {
  CHECK(unnp::parse_manifest(good, "m.pt").deviation_scale("forces") == 1.0);
  const auto parse = [](const std::string& scales, const std::string& members) {
    return unnp::parse_manifest(
        changed("\"n_members\": 1", "\"deviation_scales\": " + scales + ", \"n_members\": " + members),
        "m.pt");
  };
  const auto calibrated = parse(R"({"forces": 1.5})", "3");
  CHECK(calibrated.deviation_scale("forces") == 1.5 && calibrated.deviation_scale("energy") == 1.0);
  for (const auto* wrong : {R"({"forces": 0})", R"({"forces": -1})", R"({"forces": 1e300})",
                            R"({"energy": "2"})", R"({"stress": 2})"})
    CHECK_ERROR(parse(wrong, "3"), "deviation_scales must hold positive numbers by energy and forces");
  CHECK_ERROR(parse("[2]", "3"), "deviation_scales");
  CHECK_ERROR(parse(R"({"forces": 1.5})", "1"), "of a committee, but the model has one member");
}

TEST(refuses_wrong_manifests) {
  const auto refuses = [](const std::string& from, const std::string& to, const char* message) {
    CHECK_ERROR(unnp::parse_manifest(changed(from, to), "m.pt"), message);
  };
  refuses("\"format_version\": 1", "\"format_version\": 9", "has format 9; this unnp reads up to format 1");
  refuses("\"format_version\": 1", "\"format_version\": \"1\"", "format_version");
  refuses("\"cutoff\": 5.0, ", "", "'cutoff' is missing");
  refuses("\"cutoff\": 5.0", "\"cutoff\": -5.0", "'cutoff' must be a positive number");
  refuses("15.0", "1.5", "shorter than cutoff");
  refuses("exchange\"", "exchang\"", "halo 'exchang' is unknown");
  refuses("[64, 64]", "[64, 6.4]", "exchange_widths");
  refuses("[64, 64]", "[]", "needs exchange_widths");
  refuses("[64, 64]", "[64, 64], \"pooling_widths\": [0]", "pooling_widths");
  refuses("exchange\", \"exchange_widths\"", "wide\", \"pooling_widths\"", "halo 'wide' has no sums");
  refuses("float32", "float16", "dtype 'float16' is unknown");
  refuses("\"n_members\"", "\"cost\": \"quadruplets\", \"n_members\"", "cost 'quadruplets' is unknown");
  refuses("\"eV\"", "\"Ry\"", "units must be eV and angstrom");
  refuses("[\"Ni\", \"Al\"]", "[]", "elements is empty");
  refuses("[\"Ni\", \"Al\"]", "[1]", "list of texts");
  refuses("\"pbe\"", "\"r2scan\"", "head 'r2scan' stands twice");
  refuses("\"pbe\"", "\"p b\"", "is not one of letters");
  refuses("{\"Ni\": -1, ", "{", "exactly the elements Ni, Al");
  refuses("\"groups\"", "\"group\"", "'group' is unknown");
  refuses("\"features\"", "\"dipole\"", "output 'dipole' stands twice");
  refuses("\"features\"", "\"feature\"", "must name 'features'");
  refuses("\"per\": \"structure\"", "\"per\": \"bond\"", "not per 'bond'");
  refuses("[3]", "[3, 100000, 100000]", "more numbers than any model");
  CHECK_ERROR(unnp::parse_manifest("[1]", "m.pt"), "must be a JSON object");
  CHECK_ERROR(unnp::parse_manifest("{", "m.pt"), "not valid JSON");
}

TEST(checks_the_release_of_torch) {
  const auto manifest = unnp::parse_manifest(good, "m.pt");
  for (const auto* version : {"2.11.0", "2.13.0+cpu", "2.15.1"})
    unnp::check_torch_supported(manifest, version, "m.pt");
  for (const auto* version : {"2.10.2", "2.16.0", "3.0", "1.13"})
    CHECK_ERROR(unnp::check_torch_supported(manifest, version, "m.pt"), "runs with torch 2.11 to 2.15");
  CHECK_ERROR(unnp::check_torch_supported(manifest, "two", "m.pt"), "is not a version");
}
