#include "code.h"

#include "allowed.h"
#include "tokens.h"
#include "unnp/error.h"
#include "unnp/text.h"

#include <algorithm>

namespace unnp {

namespace {

constexpr std::size_t max_names = 40;
constexpr int max_depth = 100;

std::string quoted(std::string_view name) {
  return "'" + printable(name) + "'";
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

/// One file of code.
class CodeCheck::File {
public:
  File(CodeCheck& check, std::string module, std::string_view code)
      : check_(check), module_(std::move(module)), tokens_(tokens_of(code)) {}

  void read() {
    for (at_ = 0; at_ < tokens_.size(); ++at_) {
      const auto& token = tokens_[at_];
      if (token.kind == 'k')
        keyword(token);
      else if (token.kind == 'n')
        name(token);
      else if (token.kind == 's' && kind(-1) == '[' && text(-2) == "__annotations__") {
        declare(token.text);
        note_type(token.text, 3);
      }
    }
  }

private:
  char kind(int ahead) const {
    const auto k = static_cast<std::ptrdiff_t>(at_) + ahead;
    return k >= 0 && k < std::ssize(tokens_) ? tokens_[static_cast<std::size_t>(k)].kind : '\n';
  }
  std::string_view text(int ahead) const {
    const auto k = static_cast<std::ptrdiff_t>(at_) + ahead;
    return k >= 0 && k < std::ssize(tokens_) ? tokens_[static_cast<std::size_t>(k)].text : "";
  }

  void declare(std::string_view member) {
    if (!is_allowed_member(member))
      throw Error("defines " + quoted(member) + ", which no export does");
    check_.declared_.emplace(member);
    check_.used_.emplace(member);
  }

  /// The type of an attribute, from some tokens ahead to the end of the line. Classes stand alone in it, so
  /// that no object can be taken for one of another class.
  void note_type(std::string_view attribute, int ahead) {
    std::string type;
    bool has_class = false;
    for (; kind(ahead) != '\n'; ++ahead) {
      type += text(ahead);
      has_class = has_class || text(ahead) == "__torch__";
    }
    if (!has_class)
      return;
    if (!type.starts_with("__torch__.") || type.find_first_of("[](),=") != std::string::npos)
      throw Error("declares " + quoted(attribute) + " as objects in a list or table");
    check_.classes_[definition_][std::string(attribute)] = type;
  }

  void keyword(const Token& token) {
    if (token.text != "def" && token.text != "class") {
      if (token.text == "in" && (kind(-1) != 'n' || text(-2) != "for"))
        throw Error("uses 'in' outside of a loop, which torch does not write");
      return;
    }
    ++at_;
    if (tokens_[at_].kind != 'n' || kind(1) != '(')
      throw Error("defines something without a name");
    const bool is_class = token.text == "class";
    if (is_class &&
        (token.indentation != 0 || kind(3) != ')' || (text(2) != "Module" && text(2) != "NamedTuple")))
      throw Error("defines a class of another kind than torch does: " + quoted(text(0)));
    if (token.indentation == 0) {
      definition_ = module_ + "." + std::string(text(0));
      if (!check_.references_.try_emplace(definition_).second)
        throw Error("defines " + quoted(definition_) + " twice");
    }
    if (is_class) {
      check_.classes_.try_emplace(definition_);
      at_ += 2;
    } else if (token.indentation != 0) {
      declare(text(0));
    }
  }

  void name(const Token& token) {
    if (kind(-1) == '.') // of the result of a call
      return use(token.text);
    if (kind(-1) == '\n' && kind(1) == ':' && token.indentation != 0) {
      declare(token.text);
      note_type(token.text, 2);
    }
    if (token.text == "unchecked_cast")
      return check_cast();
    if (token.text == "getattr")
      return attribute();
    const bool is_called_by_name = kind(1) == '(';
    std::vector<std::string_view> chain{token.text};
    while (kind(1) == '.' && kind(2) == 'n') {
      at_ += 2;
      chain.push_back(text(0));
    }
    if (chain.size() > max_names)
      throw Error("holds a name of too many parts");
    if (!global(chain) && is_called_by_name && !is_allowed_builtin(token.text))
      throw Error("calls " + quoted(token.text) + ", which no export does");
  }

  /// Checks what begins with a name of torch; false for local names.
  bool global(const std::vector<std::string_view>& chain) {
    const auto root = chain.front();
    if (root == "torch") {
      if (chain.size() != 2 || !is_allowed_function(chain[1]))
        throw Error("uses 'torch." + (chain.size() > 1 ? printable(chain[1]) : "") +
                    "', which is not allowed");
    } else if (root == "ops") {
      const auto name = chain.size() == 3 ? std::string(chain[1]) + "." + std::string(chain[2]) : "";
      if (!is_allowed_operator(name))
        throw Error("uses " + quoted("ops." + name) + ", which is not allowed");
      check_.uses_operators_ |= chain[1] == "unnp";
    } else if (root == "__torch__") {
      std::string name(root);
      for (std::size_t k = 1; k < chain.size(); ++k)
        name += "." + std::string(chain[k]);
      check_.references_[definition_].insert(name);
    } else if (root == "CONSTANTS") {
      if (chain.size() != 2 || !chain[1].starts_with('c') || !is_number(chain[1].substr(1)))
        throw Error("uses CONSTANTS in a way in which no export does");
    } else {
      if (root.starts_with("__") && !is_allowed_member(root))
        throw Error("uses " + quoted(root) + ", which no export does");
      for (std::size_t k = 1; k < chain.size(); ++k)
        use(chain[k]);
      return false;
    }
    return true;
  }

  void use(std::string_view member) { check_.used_.emplace(member); }

  /// unchecked_cast(type, value): torch takes the type as given, so it may be that of no object.
  void check_cast() const {
    for (int ahead = 1; kind(ahead) != ',' && kind(ahead) != '\n'; ++ahead)
      if (text(ahead) == "__torch__")
        throw Error("casts an object to another class");
  }

  /// getattr(object, "name"), and nothing else.
  void attribute() {
    if (kind(1) != '(' || kind(2) != 'n' || kind(3) != ',' || kind(4) != 's' || kind(5) != ')')
      throw Error("uses 'getattr' in a way in which no export does");
    use(text(4));
  }

  CodeCheck& check_;
  std::string module_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::string definition_;
};

void CodeCheck::add(const std::string& module, std::string_view code) {
  File(*this, module, code).read();
}

void CodeCheck::finish() const {
  for (const auto& member : used_)
    if (!declared_.contains(member) && !is_number(member))
      throw Error("its code uses the method or attribute " + quoted(member) + ", which is not its own");
  std::map<std::string, int> known;
  for (const auto& [name, _] : references_)
    depth_of(name, known, 0);
}

void CodeCheck::check_object(const std::string& type,
                             const std::map<std::string, std::string>& attributes) const {
  const auto known = classes_.find(type);
  if (known == classes_.end())
    throw Error("has no code of the class " + printable(type) + ", it is damaged. Export or copy it again.");
  for (const auto& [name, given] : attributes) {
    const auto declared = known->second.find(name);
    if (given != (declared == known->second.end() ? "" : declared->second))
      throw Error("holds an object of another class than its code says as '" + printable(name) +
                  "'. Do not use this file.");
  }
}

// torch compiles what a function names while it compiles the function.
int CodeCheck::depth_of(const std::string& name, std::map<std::string, int>& known, int above) const {
  const auto found = references_.find(name);
  if (found == references_.end())
    throw Error("its code names " + quoted(name) + ", which is not in the file");
  if (above > max_depth)
    throw Error("its code nests too deeply");
  const auto [entry, is_new] = known.try_emplace(name, 0);
  if (!is_new) {
    if (above + entry->second > max_depth)
      throw Error("its code nests too deeply");
    return entry->second;
  }
  int deepest = 0;
  for (const auto& inner : found->second)
    deepest = std::max(deepest, 1 + depth_of(inner, known, above + 1));
  return known[name] = deepest;
}

} // namespace unnp
