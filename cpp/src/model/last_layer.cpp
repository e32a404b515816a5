#include "unnp/last_layer.h"

#include "model_file/bytes.h"
#include "unnp/error.h"
#include "unnp/json.h"

#include <bit>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

namespace unnp {

namespace {

const Json& member(const Json& json, const std::string& name) {
  const auto* const object = json.object();
  if (object == nullptr || !object->contains(name))
    throw Error("it has no '" + name + "'");
  return object->at(name);
}

const std::string& text(const Json& json, const std::string& name) {
  const auto* const found = member(json, name).text();
  if (found == nullptr)
    throw Error("'" + name + "' is no text");
  return *found;
}

double number(const Json& json) {
  const auto* const found = json.number();
  if (found == nullptr)
    throw Error("a number is missing");
  return *found;
}

/// The two numbers of an array.
std::pair<double, double> pair(const Json& json, const std::string& name) {
  const auto* const found = member(json, name).array();
  if (found == nullptr || found->size() != 2)
    throw Error("'" + name + "' are not two numbers");
  return {number((*found)[0]), number((*found)[1])};
}

std::string content_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    throw Error("it cannot be opened");
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The tensor `factor` of a safetensors file with this header, of which `data` is what follows it.
std::vector<double> factor_of(const Json& header, std::string_view data, std::int64_t& n_features) {
  const auto& tensor = member(header, "factor");
  const auto [rows, columns] = pair(tensor, "shape");
  const auto [begin, end] = pair(tensor, "data_offsets");
  constexpr double most = 1e5; // rows; the file would have 80 GB
  if (text(tensor, "dtype") != "F64" || rows != columns || !(rows >= 1.0 && rows <= most) || begin != 0.0 ||
      end != 8.0 * rows * rows || end != static_cast<double>(data.size()))
    throw Error("its matrix is not square, not of float64, or cut short");
  n_features = static_cast<std::int64_t>(rows);
  std::vector<double> factor;
  factor.reserve(data.size() / 8);
  for (Bytes bytes(data, 0); !bytes.done();)
    factor.push_back(std::bit_cast<double>(bytes.number<std::uint64_t>()));
  for (std::size_t k = 0; k < factor.size(); ++k)
    if (!std::isfinite(factor[k]) || (k % static_cast<std::size_t>(n_features + 1) == 0 && factor[k] <= 0.0))
      throw Error("its matrix is no Cholesky factor");
  return factor;
}

std::map<std::string, double> scales_of(const Json& head) {
  std::map<std::string, double> scales;
  const auto* const given = member(head, "scales").object();
  for (const auto* name : {"energy", "forces"})
    if (given != nullptr && given->contains(name)) {
      const double scale = number(given->at(name));
      if (!(scale > 0.0))
        throw Error("its factors are no positive numbers");
      scales[name] = scale;
    }
  return scales;
}

} // namespace

LastLayer LastLayer::load(const std::string& path, const Potential& potential) {
  LastLayer layer;
  std::string weights;
  try {
    const auto content = content_of(path);
    Bytes bytes(content, 0);
    const auto header = Json::parse(bytes.take(bytes.number<std::uint64_t>()));
    const auto head = Json::parse(text(member(header, "__metadata__"), "unnp"));
    if (text(head, "format") != "unnp-last-layer" || number(member(head, "format_version")) != 1.0)
      throw Error("it has another format");
    layer.scales_ = scales_of(head);
    layer.factor_ = factor_of(header, std::string_view(content).substr(bytes.at()), layer.n_features_);
    weights = text(head, "weights");
  } catch (const Error& problem) {
    throw Error("'" + path + "' is no last layer of a model (" + problem.what() +
                "); write it again with `unnp last-layer`.");
  }
  if (weights != potential.checksum_of_weights() ||
      layer.n_features_ != potential.manifest().output("features").width())
    throw Error("the last layer '" + path +
                "' was made of another model, with other weights; make it for this model with `unnp "
                "last-layer`.");
  return layer;
}

double LastLayer::scale(const std::string& quantity) const {
  const auto found = scales_.find(quantity);
  return found == scales_.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

// With C = L L^T, x^T C^-1 x = |y|^2 of L y = x, which is solved from the first row on.
std::vector<double> LastLayer::rigidity(std::span<const double> features) const {
  const auto n = static_cast<std::size_t>(n_features_);
  std::vector<double> found, y(n);
  for (std::size_t first = 0; first < features.size(); first += n) {
    double squares = 0.0;
    for (std::size_t k = 0; k < n; ++k) {
      const auto* const row = &factor_[n * k];
      double rest = features[first + k];
      for (std::size_t j = 0; j < k; ++j)
        rest -= row[j] * y[j];
      y[k] = rest / row[k];
      squares += y[k] * y[k];
    }
    found.push_back(std::sqrt(squares));
  }
  return found;
}

} // namespace unnp
