#pragma once

#include <string_view>
#include <vector>

namespace unnp {

/// A piece of TorchScript code: n name, k keyword, c constant (number, None, ...), s text, \n end of line,
/// and the marks ( ) [ ] { } , : . = - and > for an arrow.
struct Token {
  char kind;
  std::string_view text;
  int indentation = 0; ///< of its line, in characters
};

/// Cuts code into tokens. Throws Error for what torch does not write: other characters and marks, marks in an
/// order it does not use, blank lines, deep nesting.
std::vector<Token> tokens_of(std::string_view code);

} // namespace unnp
