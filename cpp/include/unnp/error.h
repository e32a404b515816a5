#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace unnp {

/// What went wrong, what is allowed and what to do, in one text meant for the user.
class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// " Did you mean 'x'?" for the closest of the allowed words, or nothing where none is close.
std::string did_you_mean(std::string_view given, const std::vector<std::string>& allowed);

/// The words joined by ", ".
std::string join(const std::vector<std::string>& words);

} // namespace unnp
