#pragma once

#include "pickle_value.h"

#include <cstddef>
#include <vector>

namespace unnp {

/// The values that a pickle has made so far, those it works on, and those it has put aside to use again.
///
/// Values are known by their index. Those that return bool return true, as the last word of an opcode. Each
/// throws Error for what is not there, for objects in lists and tables, and for what nests too deeply.
class PickleStack {
public:
  bool push(PickleValue value);
  std::size_t pop() { return last(1).front(); }
  /// Takes the last `n` values, of those since the last mark.
  std::vector<std::size_t> last(std::size_t n);

  void mark() { marks_.push_back(stack_.size()); }
  /// Takes the last mark, and all values since.
  std::vector<std::size_t> since_mark();

  /// Puts items into the value at the top, which has to be of this kind and empty.
  bool fill(PickleValue::Kind kind, const std::vector<std::size_t>& items);

  /// Puts the value at the top aside; keys count from 0.
  bool remember(std::size_t key);
  /// Pushes a value that was put aside.
  bool recall(std::size_t key);

  const PickleValue& top() const { return values_[stack_.back()]; }
  const PickleValue& operator[](std::size_t index) const { return values_[index]; }
  const PickleValues& values() const { return values_; }
  bool holds_one_value() const { return stack_.size() == 1 && marks_.empty(); }

private:
  bool has_text_keys(const std::vector<std::size_t>& items) const;

  PickleValues values_;
  std::vector<std::size_t> stack_, marks_, memo_;
};

} // namespace unnp
