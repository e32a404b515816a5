#pragma once

#include <string>
#include <string_view>

namespace unnp {

/// A text of a file on one line and without what steers a terminal: control characters and whatever is not
/// UTF-8 or not printable are spelt out; cut to about `limit` bytes.
std::string printable(std::string_view text, std::size_t limit = 200);

/// Whether a text is valid UTF-8.
bool is_utf8(std::string_view text);

} // namespace unnp
