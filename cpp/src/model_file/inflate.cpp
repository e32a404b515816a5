#include "inflate.h"

#include "unnp/error.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace unnp {

namespace {

[[noreturn]] void fail() {
  throw Error("a compressed record cannot be unpacked");
}

class Bits {
public:
  explicit Bits(std::string_view packed) : packed_(packed) {}

  unsigned take(int n) {
    while (held_ < n) {
      if (at_ == packed_.size())
        fail();
      buffer_ |= static_cast<std::uint32_t>(static_cast<unsigned char>(packed_[at_++])) << held_;
      held_ += 8;
    }
    const auto value = buffer_ & ((1U << n) - 1U);
    buffer_ >>= n;
    held_ -= n;
    return value;
  }

  /// Bytes from the next whole one.
  std::string_view bytes(std::size_t n) {
    if (n > packed_.size() - at_)
      fail();
    at_ += n;
    return packed_.substr(at_ - n, n);
  }

  void align() { buffer_ = 0, held_ = 0; }
  bool done() const { return at_ == packed_.size(); }

private:
  std::string_view packed_;
  std::size_t at_ = 0;
  std::uint32_t buffer_ = 0;
  int held_ = 0;
};

/// A canonical Huffman code: of each length the number of codes, and their symbols in order.
class Code {
public:
  explicit Code(std::span<const std::uint8_t> lengths) {
    for (const auto length : lengths)
      ++counts_[length];
    counts_[0] = 0;
    int left = 1;
    std::array<std::size_t, max_length + 2> next{};
    for (std::size_t length = 1; length <= max_length; ++length) {
      left = 2 * left - counts_[length];
      if (left < 0)
        fail();
      next[length + 1] = next[length] + static_cast<std::size_t>(counts_[length]);
    }
    symbols_.resize(lengths.size());
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol)
      if (lengths[symbol] != 0)
        symbols_[next[lengths[symbol]]++] = static_cast<unsigned>(symbol);
  }

  unsigned read(Bits& bits) const {
    int code = 0, first = 0, index = 0;
    for (std::size_t length = 1; length <= max_length; ++length) {
      code |= static_cast<int>(bits.take(1));
      const int count = counts_[length];
      if (code - count < first)
        return symbols_[static_cast<std::size_t>(index + code - first)];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    fail();
  }

private:
  static constexpr std::size_t max_length = 15;
  std::array<int, max_length + 1> counts_{};
  std::vector<unsigned> symbols_;
};

struct Base {
  unsigned start;
  int extra;
};
constexpr std::array<Base, 29> length_bases = {
    {{3, 0},  {4, 0},  {5, 0},  {6, 0},   {7, 0},   {8, 0},   {9, 0},   {10, 0},  {11, 1}, {13, 1},
     {15, 1}, {17, 1}, {19, 2}, {23, 2},  {27, 2},  {31, 2},  {35, 3},  {43, 3},  {51, 3}, {59, 3},
     {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0}}};
constexpr std::array<Base, 30> distance_bases = {
    {{1, 0},     {2, 0},     {3, 0},     {4, 0},      {5, 1},      {7, 1},     {9, 2},     {13, 2},
     {17, 3},    {25, 3},    {33, 4},    {49, 4},     {65, 5},     {97, 5},    {129, 6},   {193, 6},
     {257, 7},   {385, 7},   {513, 8},   {769, 8},    {1025, 9},   {1537, 9},  {2049, 10}, {3073, 10},
     {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13}}};

void copy_block(Bits& bits, std::string& out, std::size_t size) {
  bits.align();
  const auto header = bits.bytes(4);
  const auto byte = [&](std::size_t k) {
    return static_cast<unsigned>(static_cast<unsigned char>(header[k]));
  };
  const auto length = byte(0) | byte(1) << 8;
  if ((length ^ 0xFFFFU) != (byte(2) | byte(3) << 8) || out.size() + length > size)
    fail();
  out += bits.bytes(length);
}

void coded_block(Bits& bits, const Code& lengths, const Code& distances, std::string& out, std::size_t size) {
  while (true) {
    const auto symbol = lengths.read(bits);
    if (symbol == 256)
      return;
    if (symbol < 256) {
      if (out.size() == size)
        fail();
      out += static_cast<char>(symbol);
      continue;
    }
    if (symbol - 257 >= length_bases.size())
      fail();
    const auto [start, extra] = length_bases[symbol - 257];
    const auto length = start + bits.take(extra);
    const auto far = distances.read(bits);
    if (far >= distance_bases.size())
      fail();
    const auto distance = distance_bases[far].start + bits.take(distance_bases[far].extra);
    if (distance > out.size() || out.size() + length > size)
      fail();
    for (unsigned k = 0; k < length; ++k)
      out += out[out.size() - distance];
  }
}

void fixed_block(Bits& bits, std::string& out, std::size_t size) {
  std::array<std::uint8_t, 288> lengths{};
  for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol)
    lengths[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
  std::array<std::uint8_t, 30> distances{};
  distances.fill(5);
  coded_block(bits, Code(lengths), Code(distances), out, size);
}

void dynamic_block(Bits& bits, std::string& out, std::size_t size) {
  constexpr std::array<std::uint8_t, 19> order = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                  11, 4,  12, 3, 13, 2, 14, 1, 15};
  const auto n_lengths = bits.take(5) + 257, n_distances = bits.take(5) + 1, n_codes = bits.take(4) + 4;
  std::array<std::uint8_t, 19> code_lengths{};
  for (unsigned k = 0; k < n_codes; ++k)
    code_lengths[order[k]] = static_cast<std::uint8_t>(bits.take(3));
  const Code code(code_lengths);
  std::vector<std::uint8_t> lengths;
  while (lengths.size() < n_lengths + n_distances) {
    const auto symbol = code.read(bits);
    if (symbol < 16) {
      lengths.push_back(static_cast<std::uint8_t>(symbol));
      continue;
    }
    if (symbol == 16 && lengths.empty())
      fail();
    const auto repeated = symbol == 16 ? lengths.back() : std::uint8_t{0};
    const auto times = symbol == 16 ? 3 + bits.take(2) : symbol == 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    lengths.insert(lengths.end(), times, repeated);
  }
  if (lengths.size() != n_lengths + n_distances || n_lengths > 286)
    fail();
  const std::span all(lengths);
  coded_block(bits, Code(all.first(n_lengths)), Code(all.subspan(n_lengths)), out, size);
}

} // namespace

std::string inflate(std::string_view packed, std::size_t size) {
  Bits bits(packed);
  std::string out;
  out.reserve(size);
  bool is_last = false;
  while (!is_last) {
    is_last = bits.take(1) != 0;
    switch (bits.take(2)) {
    case 0:
      copy_block(bits, out, size);
      break;
    case 1:
      fixed_block(bits, out, size);
      break;
    case 2:
      dynamic_block(bits, out, size);
      break;
    default:
      fail();
    }
  }
  if (out.size() != size || !bits.done())
    fail();
  return out;
}

} // namespace unnp
