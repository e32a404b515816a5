#pragma once

#include <functional>
#include <set>
#include <string>

namespace unnp {

/// What an exception of torch or of its TorchScript interpreter is about, on one printable line.
std::string reason_of(const std::string& what);

/// Runs an action; every exception it throws becomes an Error: the text `doing`, and the reason.
void with_clear_errors(const std::string& doing, const std::function<void()>& action);

/// Throws Error where a method or attribute of a model's code has the name of an operator of this torch that
/// is not one of allowed.h, which a tensor would then be asked for.
void check_members(const std::set<std::string>& members, const std::string& source);

} // namespace unnp
