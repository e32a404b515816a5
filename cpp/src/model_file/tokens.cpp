#include "tokens.h"

#include "unnp/error.h"
#include "unnp/text.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace unnp {

namespace {

constexpr int max_nesting = 40, max_indentation = 80;
constexpr std::size_t max_line = std::size_t{1} << 18;

// Which kinds may follow which. What torch writes is in single assignment form: calls of calls, operators
// between values and chains of indices do not occur, so that nothing here is parsed recursively but brackets.
constexpr std::array<std::pair<char, std::string_view>, 17> followers = {{{'n', "()[]{},.:=\nk"},
                                                                          {'k', "n(cs[{-:\nk"},
                                                                          {'c', ")],:}\n"},
                                                                          {'s', ")],:}\n"},
                                                                          {'(', "n(cs[{-)"},
                                                                          {')', "),.:[]>}\n"},
                                                                          {'[', "n(cs[{-]"},
                                                                          {']', "),:=]}\n"},
                                                                          {'{', "n(cs[{-}"},
                                                                          {'}', "),]:}\n"},
                                                                          {',', "n(cs[{-)]}=k"},
                                                                          {':', "n(cs[{-\nk"},
                                                                          {'.', "n"},
                                                                          {'=', "n(cs[{-"},
                                                                          {'-', "c"},
                                                                          {'>', "nc"},
                                                                          {'\n', "nk(\n"}}};

const std::set<std::string_view> keywords = {"break", "class", "continue", "def",    "else", "for",
                                             "if",    "in",    "pass",     "return", "while"};
const std::set<std::string_view> constants = {"False", "None", "True", "inf", "nan"};
const std::set<std::string_view> reserved = {
    "and",      "as",         "assert", "async",  "await", "del",    "elif",     "except",    "exec",
    "finally",  "from",       "global", "import", "is",    "lambda", "nonlocal", "not",       "or",
    "raise",    "try",        "with",   "yield",  "eval",  "print",  "fork",     "awaitable", "rpc_async",
    "rpc_sync", "rpc_remote", "super",  "hash",   "id",    "open"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class Lexer {
public:
  explicit Lexer(std::string_view code) : code_(code) {}

  std::vector<Token> tokens() {
    start_line();
    while (at_ < code_.size())
      next();
    if (nesting_ != 0)
      throw Error("brackets do not close");
    return std::move(tokens_);
  }

private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < code_.size() ? code_[at_ + ahead] : '\0'; }

  void next() {
    const char c = peek();
    if (c == ' ') {
      ++at_;
    } else if (c == '\n') {
      ++at_;
      if (nesting_ == 0)
        add('\n', code_.substr(at_ - 1, 1));
      start_line();
    } else if (is_digit(c)) {
      number();
    } else if (is_word(c)) {
      word();
    } else if (c == '"' || c == '\'') {
      text(c);
    } else {
      mark(c);
    }
  }

  void start_line() {
    if (peek() == '\n')
      throw Error("it has blank lines, which torch does not write");
    const auto end = std::min(code_.find('\n', at_), code_.size());
    const auto first = std::min(code_.find_first_not_of(' ', at_), code_.size());
    if (first >= end && end < code_.size())
      throw Error("it has blank lines, which torch does not write");
    if (end - at_ > max_line)
      throw Error("it has a line of more than " + std::to_string(max_line) + " characters");
    if (nesting_ == 0)
      indentation_ = static_cast<int>(std::min(first - at_, max_line));
    if (indentation_ > max_indentation)
      throw Error("its lines are indented too deeply");
  }

  void number() {
    const auto start = at_;
    while (is_word(peek()) || peek() == '.' ||
           ((peek() == '-' || peek() == '+') && (code_[at_ - 1] == 'e' || code_[at_ - 1] == 'E')))
      ++at_;
    const auto digits = code_.substr(start, at_ - start);
    if (digits.find_first_not_of("0123456789.eE+-") != std::string_view::npos || digits.size() > 40)
      throw Error("it holds " + printable(digits) + ", which is no number");
    add('c', digits);
  }

  void word() {
    const auto start = at_;
    while (is_word(peek()))
      ++at_;
    const auto name = code_.substr(start, at_ - start);
    const bool is_member = !tokens_.empty() && tokens_.back().kind == '.';
    if (reserved.contains(name) && !is_member)
      throw Error("it uses " + printable(name) + ", which no export does");
    add(is_member ? 'n' : keywords.contains(name) ? 'k' : constants.contains(name) ? 'c' : 'n', name);
  }

  void text(char quote) {
    const auto start = ++at_;
    while (peek() != quote) {
      if (peek() == '\\')
        ++at_;
      if (peek() < ' ' || peek() > '~')
        throw Error("a text in it does not end");
      ++at_;
    }
    add('s', code_.substr(start, at_ - start));
    ++at_;
  }

  void mark(char c) {
    const bool is_arrow = c == '-' && peek(1) == '>';
    if (std::string_view("()[]{},:.=-").find(c) == std::string_view::npos)
      throw Error("it holds " + printable(code_.substr(at_, 1)) + ", which torch does not write");
    nesting_ += c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
    if (nesting_ < 0 || nesting_ > max_nesting)
      throw Error("its brackets nest too deeply or do not close");
    add(is_arrow ? '>' : c, code_.substr(at_, 1));
    at_ += is_arrow ? 2 : 1;
  }

  void add(char kind, std::string_view text) {
    const char before = tokens_.empty() ? '\n' : tokens_.back().kind;
    const auto* const rule = std::ranges::find(followers, before, &std::pair<char, std::string_view>::first);
    if (rule->second.find(kind) == std::string_view::npos)
      throw Error("it is not written as torch does near " + printable(text));
    tokens_.push_back({kind, text, indentation_});
  }

  std::string_view code_;
  std::size_t at_ = 0;
  int nesting_ = 0, indentation_ = 0;
  std::vector<Token> tokens_;
};

} // namespace

std::vector<Token> tokens_of(std::string_view code) {
  return Lexer(code).tokens();
}

} // namespace unnp
