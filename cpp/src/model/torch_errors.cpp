#include "torch_errors.h"

#include "model_file/allowed.h"
#include "unnp/error.h"
#include "unnp/text.h"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <new>
#include <string_view>

namespace unnp {

namespace {

constexpr std::size_t max_reason = 300;

bool is_about_memory(std::string_view text) {
  for (const auto* words : {"out of memory", "can't allocate memory", "bad_alloc", "not enough memory"})
    if (text.find(words) != std::string_view::npos)
      return true;
  return false;
}

/// Whether a tensor, or anything, has a method of this name, other than those that lists and tables have.
bool is_method_of_tensors(const std::string& name) {
  if (name.empty() || name.starts_with("__"))
    return false; // those are on the list of allowed.h
  for (const auto& op : torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString("aten::" + name))) {
    const auto& arguments = op->schema().arguments();
    if (arguments.empty())
      continue;
    const auto kind = arguments.front().type()->kind();
    if (kind != c10::TypeKind::DictType && kind != c10::TypeKind::StringType &&
        kind != c10::TypeKind::IntType && kind != c10::TypeKind::FloatType &&
        kind != c10::TypeKind::NumberType)
      return true;
  }
  return false;
}

[[noreturn]] void rethrow(const std::string& doing, const std::string& what) {
  if (is_about_memory(what))
    throw Error(doing +
                ": the device has not enough memory for this many atoms; use more ranks or GPUs, dtype "
                "float32 or a smaller model.");
  throw Error(doing + ": " + reason_of(what));
}

} // namespace

std::string reason_of(const std::string& what) {
  std::string_view text = what;
  // The interpreter puts a listing of the code first, and what it is about on the line that says which error.
  for (const std::string_view mark : {"\nRuntimeError: ", "\ntorch.jit.Error: ", "\nbuiltins."})
    if (const auto at = text.rfind(mark); at != std::string_view::npos) {
      text = text.substr(at + mark.size());
      break;
    }
  while (text.starts_with('\n') || text.starts_with(' '))
    text.remove_prefix(1);
  text = text.substr(0, text.find('\n'));
  return text.empty() ? "unknown error" : printable(text, max_reason);
}

void with_clear_errors(const std::string& doing, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    rethrow(doing, "bad_alloc");
  } catch (const c10::OutOfMemoryError&) {
    rethrow(doing, "out of memory");
  } catch (const c10::Error& error) {
    rethrow(doing, error.what_without_backtrace());
  } catch (const std::exception& error) {
    rethrow(doing, error.what());
  }
}

void check_members(const std::set<std::string>& members, const std::string& source) {
  for (const auto& member : members)
    if (!is_allowed_function(member) && is_method_of_tensors(member))
      throw Error(source + " holds code that no export writes: it uses the name '" + printable(member) +
                  "' of an operator of torch that is not allowed. Do not use this file. (An architecture of "
                  "your own? See docs/architectures/adding.md.)");
}

} // namespace unnp
