#include "unnp/text.h"

#include <array>
#include <cstdint>

namespace unnp {

namespace {

/// Number of bytes of the UTF-8 character at the start of a text, and its code; 0 bytes where there is none.
struct Character {
  std::size_t size = 0;
  std::uint32_t code = 0;
};

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t k) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[k]));
  };
  const auto lead = byte(0);
  if (lead < 0x80)
    return {1, lead};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size)
    return {};
  std::uint32_t code = lead & (0x7FU >> size);
  for (std::size_t k = 1; k < size; ++k) {
    if ((byte(k) & 0xC0) != 0x80)
      return {};
    code = code << 6 | (byte(k) & 0x3F);
  }
  constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  if (code < least[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
    return {};
  return {size, code};
}

/// Control and format characters, among them those that change the direction of writing, and line separators.
bool steers(std::uint32_t code) {
  constexpr std::array<std::array<std::uint32_t, 2>, 12> ranges = {{{0x00, 0x1F},
                                                                    {0x7F, 0x9F},
                                                                    {0xAD, 0xAD},
                                                                    {0x600, 0x605},
                                                                    {0x61C, 0x61C},
                                                                    {0x180E, 0x180E},
                                                                    {0x200B, 0x200F},
                                                                    {0x2028, 0x202E},
                                                                    {0x2060, 0x206F},
                                                                    {0xFEFF, 0xFEFF},
                                                                    {0xFFF9, 0xFFFB},
                                                                    {0xE0000, 0xE007F}}};
  for (const auto& [low, high] : ranges)
    if (code >= low && code <= high)
      return true;
  return false;
}

std::string spelt_out(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += "\\x";
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

} // namespace

std::string printable(std::string_view text, std::size_t limit) {
  std::string shown;
  for (std::size_t at = 0; at < text.size();) {
    if (shown.size() >= limit)
      return shown + "...";
    const auto [size, code] = first_character(text.substr(at));
    const auto bytes = text.substr(at, size == 0 ? 1 : size);
    shown += size == 0 || steers(code) ? spelt_out(bytes) : std::string(bytes);
    at += bytes.size();
  }
  return shown;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto size = first_character(text.substr(at)).size;
    if (size == 0)
      return false;
    at += size;
  }
  return true;
}

} // namespace unnp
