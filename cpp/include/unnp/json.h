#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace unnp {

/// A JSON value (RFC 8259): what states of the bias and manifests are made of.
///
/// Read and written by nlohmann-json, which programs that include this header do not need. Stricter than it:
/// doubled keys, numbers that are not finite, and nests deeper than any real file are errors.
class Json {
public:
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json>;

  /// Throws Error with the position where `text` is not one JSON value.
  static Json parse(std::string_view text);

  /// The value as text that `parse` reads back bit for bit; throws Error for a number that is not finite.
  std::string dump() const;

  Json() = default;
  explicit Json(bool value) : value_(value) {}
  explicit Json(double value) : value_(value) {}
  explicit Json(std::string value) : value_(std::move(value)) {}
  explicit Json(Array value) : value_(std::make_shared<Array>(std::move(value))) {}
  explicit Json(Object value) : value_(std::make_shared<Object>(std::move(value))) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  /// The value where it is of that kind, or null.
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const double* number() const { return std::get_if<double>(&value_); }
  const std::string* text() const { return std::get_if<std::string>(&value_); }
  const Array* array() const { return inside<Array>(); }
  const Object* object() const { return inside<Object>(); }

private:
  template <typename Kind>
  const Kind* inside() const {
    const auto* held = std::get_if<std::shared_ptr<Kind>>(&value_);
    return held ? held->get() : nullptr;
  }

  std::variant<std::monostate, bool, double, std::string, std::shared_ptr<Array>, std::shared_ptr<Object>>
      value_;
};

} // namespace unnp
