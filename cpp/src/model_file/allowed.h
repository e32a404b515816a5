#pragma once

#include <string_view>

namespace unnp {

/// Whether the code of a model may call torch.NAME: functions of their arguments alone, which check the
/// bounds of what they read and write. docs/architectures/adding.md says how a name gets here.
bool is_allowed_function(std::string_view name);

/// Whether it may call ops.NAMESPACE.NAME.
bool is_allowed_operator(std::string_view name);

/// Whether it may call a function of TorchScript itself, such as `range`.
bool is_allowed_builtin(std::string_view name);

/// Whether a method or attribute of its classes may have this name.
bool is_allowed_member(std::string_view name);

} // namespace unnp
