#pragma once

#include "archive.h"
#include "code.h"

#include <string>
#include <string_view>

namespace unnp {

inline constexpr std::string_view manifest_record = "extra/unnp.json";
inline constexpr std::string_view serialization_record = ".data/serialization_id";

/// Throws Error where an archive is not the TorchScript file of an export.
void check_kind(const Archive& archive, const std::string& advice);

/// Checks every record: that an export writes it, and what is in it. Throws Error.
CodeCheck check_records(const Archive& archive);

} // namespace unnp
