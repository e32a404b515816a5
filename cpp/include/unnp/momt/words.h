#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace unnp::momt {

/// The words of a command, taken one after the other. Whatever is missing or is not what it has to be throws
/// Error with the name of the keyword.
class Words {
public:
  /// The words have to outlive this.
  explicit Words(std::span<const std::string> words) : words_(words) {}

  bool at_end() const { return at_ == words_.size(); }

  /// Takes a keyword, which messages name from then on.
  const std::string& keyword();
  /// Takes a word that says what kind of the keyword follows; messages then name it too, as in "order sk".
  std::string kind();
  /// What messages name.
  const std::string& named() const { return named_; }

  const std::string& word();
  double number();
  std::pair<double, double> pair();
  /// A whole number that is not below `lowest`.
  std::int64_t count(std::int64_t lowest);
  /// The same of something that there may be a million of.
  int small_count(int lowest);

  std::size_t position() const { return at_; }
  /// The words from a position up to the next one to be taken, with spaces between them.
  std::string since(std::size_t begin) const;

private:
  std::span<const std::string> words_;
  std::size_t at_ = 0;
  std::string named_;
};

} // namespace unnp::momt
