#pragma once

#include "unnp/json.h"

#include <cstdint>
#include <string>
#include <vector>

namespace unnp::momt {

Json to_json(const std::vector<double>& numbers);

/// As rows of `n_columns` numbers.
Json to_json(const std::vector<double>& numbers, std::size_t n_columns);

/// Reads members of a saved state; throws Error, with the name of the member, where it is not what it has to
/// be.
class StateReader {
public:
  explicit StateReader(const Json::Object& state) : state_(state) {}

  bool has(const std::string& name) const { return state_.contains(name); }
  const Json& member(const std::string& name) const;
  bool boolean(const std::string& name) const;
  double number(const std::string& name) const;
  std::int64_t count(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  const Json::Object& object(const std::string& name) const;

  /// `size` finite numbers, in rows or not.
  std::vector<double> numbers(const std::string& name, std::size_t size) const;

  /// Throws where the numbers differ from those of this run by more than rounding; `keywords` set them.
  void require_same(const std::string& name, const std::vector<double>& expected,
                    const std::string& keywords) const;

private:
  const Json::Object& state_;
};

} // namespace unnp::momt
