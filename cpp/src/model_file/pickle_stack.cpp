#include "pickle_stack.h"

#include "unnp/error.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace unnp {

namespace {

using Kind = PickleValue::Kind;

constexpr int max_depth = 100;

} // namespace

bool PickleStack::push(PickleValue value) {
  for (const auto item : value.items) {
    value.depth = std::max(value.depth, values_[item].depth + 1);
    if (values_[item].has_object)
      throw Error("it holds objects in a list or table");
  }
  if (value.depth > max_depth)
    throw Error("it nests too deeply");
  values_.push_back(std::move(value));
  stack_.push_back(values_.size() - 1);
  return true;
}

std::vector<std::size_t> PickleStack::last(std::size_t n) {
  if (stack_.size() < n + (marks_.empty() ? 0 : marks_.back()))
    throw Error("it takes values that are not there");
  const std::vector<std::size_t> items(stack_.end() - static_cast<std::ptrdiff_t>(n), stack_.end());
  stack_.resize(stack_.size() - n);
  return items;
}

std::vector<std::size_t> PickleStack::since_mark() {
  if (marks_.empty())
    throw Error("it takes values that are not there");
  auto items = last(stack_.size() - marks_.back());
  marks_.pop_back();
  return items;
}

bool PickleStack::fill(Kind kind, const std::vector<std::size_t>& items) {
  if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back()))
    throw Error("it fills what is not there");
  auto& container = values_[stack_.back()];
  if (container.kind != kind || container.fixed || !container.items.empty() ||
      (kind == Kind::dictionary && !has_text_keys(items)))
    throw Error("it fills a value that cannot be filled");
  container.items = items;
  for (const auto item : items) {
    container.depth = std::max(container.depth, values_[item].depth + 1);
    container.has_object = container.has_object || values_[item].has_object;
    if (kind == Kind::list && values_[item].has_object)
      throw Error("it holds objects in a list or table");
  }
  if (container.depth > max_depth)
    throw Error("it nests too deeply");
  return true;
}

bool PickleStack::remember(std::size_t key) {
  if (key != memo_.size() || stack_.empty())
    throw Error("its memory of values is out of order");
  memo_.push_back(stack_.back());
  return true;
}

bool PickleStack::recall(std::size_t key) {
  if (key >= memo_.size())
    throw Error("it refers to a value that it does not hold");
  stack_.push_back(memo_[key]);
  values_[memo_[key]].fixed = true; // what was used again may not change, so that nothing contains itself
  return true;
}

// Names of attributes, each once.
bool PickleStack::has_text_keys(const std::vector<std::size_t>& items) const {
  std::set<std::string_view> keys;
  for (std::size_t k = 0; k < items.size(); k += 2)
    if (values_[items[k]].kind != Kind::text || !keys.insert(values_[items[k]].text).second)
      return false;
  return items.size() % 2 == 0;
}

} // namespace unnp
