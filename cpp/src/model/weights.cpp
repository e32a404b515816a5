#include "weights.h"

#include "model_file/checksums.h"

#include <map>
#include <string_view>

namespace unnp {

namespace {

void append(std::string& content, const std::string& name, const at::Tensor& tensor) {
  content += '\0' + name + '\0' + '[';
  for (std::int64_t axis = 0; axis < tensor.dim(); ++axis)
    content += (axis ? ", " : "") + std::to_string(tensor.size(axis));
  content += ']';
  content += '\0';
  const auto values = (tensor.is_floating_point() ? tensor.to(at::kFloat) : tensor).cpu().contiguous();
  content += std::string_view(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
}

} // namespace

std::string checksum_of_weights(const torch::jit::Module& module) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& parameter : module.named_parameters())
    tensors.emplace(parameter.name, parameter.value);
  for (const auto& buffer : module.named_buffers())
    tensors.emplace(buffer.name, buffer.value);
  std::string content;
  for (const auto& [name, tensor] : tensors)
    append(content, name, tensor);
  return sha256(content);
}

} // namespace unnp
