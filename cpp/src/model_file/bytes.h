#pragma once

#include "unnp/error.h"

#include <cstdint>
#include <string_view>

namespace unnp {

/// Reads little-endian numbers from memory, never beyond its end.
class Bytes {
public:
  Bytes(std::string_view content, std::size_t at) : content_(content), at_(at) {}

  /// The next `size` bytes; throws Error where there are fewer.
  std::string_view take(std::size_t size) {
    if (at_ > content_.size() || size > content_.size() - at_)
      throw Error("it ends too early");
    at_ += size;
    return content_.substr(at_ - size, size);
  }

  template <typename Number>
  Number number() {
    Number value = 0;
    int shift = 0;
    for (const char byte : take(sizeof(Number))) {
      value = static_cast<Number>(
          value | static_cast<Number>(static_cast<Number>(static_cast<unsigned char>(byte)) << shift));
      shift += 8;
    }
    return value;
  }

  std::size_t at() const { return at_; }
  bool done() const { return at_ >= content_.size(); }

private:
  std::string_view content_;
  std::size_t at_;
};

} // namespace unnp
