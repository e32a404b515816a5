#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>

namespace unnp {

/// SHA-256 of all parameters and buffers in float32, the same for a model in any number type and as
/// `checksum_of_weights` of Python (unnp.evaluate.last_layer).
std::string checksum_of_weights(const torch::jit::Module& module);

} // namespace unnp
