#pragma once

#include "unnp/json.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unnp {

/// The fields of a table in a manifest. Each reader throws Error, which names the file and the field, where
/// the field is missing or of another kind.
class Fields {
public:
  Fields(const Json::Object& object, std::string source) : object_(object), source_(std::move(source)) {}

  [[noreturn]] void fail(const std::string& what) const;

  bool has(const std::string& key) const { return object_.contains(key); }
  const std::string& text(const std::string& key) const;
  std::vector<std::string> texts(const std::string& key) const;
  /// A length [A] of at most `most`.
  double length(const std::string& key, double most) const;
  std::int64_t count(const std::string& key, std::int64_t least, std::int64_t most) const;
  /// Of an item in the list `key`.
  std::int64_t count(const Json& item, const std::string& key, std::int64_t least, std::int64_t most) const;
  /// Whole numbers from 1 to `most`, at most `n` of them.
  std::vector<std::int64_t> counts(const std::string& key, std::int64_t most, std::size_t n) const;
  const Json::Object& object(const std::string& key) const;
  const Json::Array& array(const std::string& key) const;
  /// The tables in a list, 1 to `most` of them.
  std::vector<Fields> tables(const std::string& key, std::size_t most) const;

  void check_known(const std::set<std::string_view>& known) const;

private:
  const Json& get(const std::string& key) const;

  const Json::Object& object_;
  std::string source_;
};

} // namespace unnp
