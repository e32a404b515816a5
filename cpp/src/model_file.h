#pragma once

#include "unnp/manifest.h"

#include <string>

namespace unnp {

/// Reads the manifest of an exported file without running any of its code; throws Error where the file cannot
/// be opened, is not TorchScript, or was not written by unnp.
Manifest read_manifest(const std::string& path);

} // namespace unnp
