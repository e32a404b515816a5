#include "pickle.h"

#include "pickle_tensor.h"
#include "unnp/error.h"
#include "unnp/text.h"

#include <algorithm>
#include <array>

namespace unnp {

namespace {

constexpr std::array<std::string_view, 10> known_globals = {"torch._utils\n_rebuild_tensor_v2",
                                                            "collections\nOrderedDict",
                                                            "torch.jit._pickle\nrestore_type_tag",
                                                            "torch.jit._pickle\nbuild_intlist",
                                                            "torch.jit._pickle\nbuild_doublelist",
                                                            "torch.jit._pickle\nbuild_boollist",
                                                            "torch.jit._pickle\nbuild_tensorlist",
                                                            "torch.jit._pickle\nbuild_complexlist",
                                                            "torch\ndevice",
                                                            "torch.jit._pickle\nbuild_tensor_from_id"};
constexpr int max_depth = 100;
constexpr std::size_t max_values = std::size_t{1} << 22, max_tag = 300;

class Walker {
public:
  explicit Walker(std::string_view content) : bytes_(content, 0) {}

  PickleContents walk() {
    if (bytes_.number<std::uint8_t>() != 0x80 || bytes_.number<std::uint8_t>() != 2)
      throw Error("it is no pickle of torch");
    while (step(bytes_.take(1)[0])) {
    }
    if (stack_.size() != 1 || !marks_.empty() || !bytes_.done())
      throw Error("it does not end with one value");
    return std::move(contents_);
  }

private:
  using Kind = PickleValue::Kind;

  /// Carries out one opcode; false after the last.
  bool step(char opcode) {
    if (values_.size() > max_values)
      throw Error("it holds more values than any model");
    switch (opcode) {
    case '.':
      return false;
    case '(':
      marks_.push_back(stack_.size());
      break;
    case 'N':
      push({Kind::none});
      break;
    case '\x88':
    case '\x89':
      push({Kind::boolean, opcode == '\x88'});
      break;
    case 'G':
      bytes_.take(8);
      push({Kind::real});
      break;
    case 'X':
      push({Kind::text, 0, std::string(bytes_.take(bytes_.number<std::uint32_t>()))});
      break;
    case 'c':
      push({Kind::global, 0, global()});
      break;
    default:
      return integer(opcode) || container(opcode) || memo(opcode) || call(opcode) || unknown(opcode);
    }
    return true;
  }

  static bool unknown(char opcode) {
    throw Error("it holds the opcode " + printable(std::string_view(&opcode, 1)) +
                ", which torch does not write");
  }

  bool integer(char opcode) {
    switch (opcode) {
    case 'K':
      return push({Kind::integer, bytes_.number<std::uint8_t>()});
    case 'M':
      return push({Kind::integer, bytes_.number<std::uint16_t>()});
    case 'J':
      return push({Kind::integer, static_cast<std::int32_t>(bytes_.number<std::uint32_t>())});
    case '\x8a':
      if (bytes_.number<std::uint8_t>() != 8)
        throw Error("a whole number has not 8 bytes");
      return push({Kind::integer, static_cast<std::int64_t>(bytes_.number<std::uint64_t>())});
    default:
      return false;
    }
  }

  bool container(char opcode) {
    switch (opcode) {
    case ')':
      return push({Kind::tuple});
    case ']':
      return push({Kind::list});
    case '}':
      return push({Kind::dictionary});
    case 't':
      return push({Kind::tuple, 0, {}, since_mark()});
    case '\x85':
    case '\x86':
    case '\x87':
      return push({Kind::tuple, 0, {}, last(static_cast<std::size_t>(opcode - '\x84'))});
    case 'e':
      return fill(Kind::list, since_mark());
    case 'u':
      return fill(Kind::dictionary, since_mark());
    default:
      return false;
    }
  }

  bool memo(char opcode) {
    switch (opcode) {
    case 'q':
    case 'r': {
      const auto key = opcode == 'q' ? bytes_.number<std::uint8_t>() : bytes_.number<std::uint32_t>();
      if (key != memo_.size() || stack_.empty())
        throw Error("its memory of values is out of order");
      memo_.push_back(stack_.back());
      return true;
    }
    case 'h':
    case 'j': {
      const auto key = opcode == 'h' ? bytes_.number<std::uint8_t>() : bytes_.number<std::uint32_t>();
      if (key >= memo_.size())
        throw Error("it refers to a value that it does not hold");
      stack_.push_back(memo_[key]);
      values_[memo_[key]].fixed = true; // what was used again may not change, so that nothing contains itself
      return true;
    }
    default:
      return false;
    }
  }

  bool call(char opcode) {
    switch (opcode) {
    case '\x81': { // an object of a class, made of nothing
      const auto arguments = pop(), type = pop();
      if (!is_class(values_[type]) || values_[arguments].kind != Kind::tuple)
        throw Error("it makes an object of no class of the archive");
      return push_object(values_[type].text);
    }
    case 'b': {
      const auto state = pop();
      if (values_[state].kind != Kind::dictionary)
        throw Error("an object has no table of attributes");
      fill(Kind::object, {state});
      note_object(values_[stack_.back()].text, values_[state].items);
      return true;
    }
    case 'Q': {
      const auto array = read_array(values_, values_[pop()]);
      contents_.arrays.push_back(array);
      return push({Kind::array, array.numbers, array.key});
    }
    case 'R': {
      const auto arguments = pop(), function = pop();
      return push(result(values_[function], arguments));
    }
    default:
      return false;
    }
  }

  bool push_object(std::string type) {
    std::ranges::replace(type, '\n', '.');
    PickleValue object{Kind::object, 0, std::move(type)};
    object.has_object = true;
    return push(std::move(object));
  }

  /// Objects are attributes of objects and nothing else, so that their classes can be compared with the
  /// code's.
  void note_object(const std::string& type, const std::vector<std::size_t>& items) {
    PickledObject object{type, {}};
    for (std::size_t k = 0; k + 1 < items.size(); k += 2) {
      const auto& value = values_[items[k + 1]];
      if (value.has_object && value.kind != Kind::object)
        throw Error("it holds objects in a list or table");
      object.attributes[values_[items[k]].text] = value.kind == Kind::object ? value.text : "";
    }
    contents_.objects.push_back(std::move(object));
  }

  PickleValue result(const PickleValue& function, std::size_t arguments) {
    if (function.kind != Kind::global || values_[arguments].kind != Kind::tuple || is_class(function))
      throw Error("it calls what is no function");
    if (function.text.ends_with("_rebuild_tensor_v2")) {
      check_tensor(values_, values_[arguments]);
      return {Kind::tensor, 0, {}, {arguments}};
    }
    if (function.text.ends_with("restore_type_tag")) {
      const auto& items = values_[arguments].items;
      if (items.size() != 2 || values_[items[1]].kind != Kind::text || !is_tag(values_[items[1]].text))
        throw Error("a list has no name of its type");
      return {values_[items[0]].kind, 0, {}, {arguments}, 0, true};
    }
    if (function.text.ends_with("Storage"))
      throw Error("it calls what is no function");
    const bool is_table = function.text.ends_with("OrderedDict");
    if (is_table && !values_[arguments].items.empty())
      throw Error("it makes a table from arguments");
    return {is_table ? Kind::dictionary : Kind::list, 0, {}, {arguments}, 0, true};
  }

  /// The name of a type of numbers, texts or tensors, such as List[int].
  static bool is_tag(std::string_view text) {
    return text.size() <= max_tag && text.find("__torch__") == std::string_view::npos;
  }

  std::string line() {
    std::string text;
    for (char c = bytes_.take(1)[0]; c != '\n'; c = bytes_.take(1)[0])
      text += c;
    return text;
  }

  std::string global() {
    const auto module = line(), name = line();
    const auto both = module + "\n" + name;
    if (module.starts_with("__torch__")) {
      contents_.classes.insert(module + "." + name);
      return both;
    }
    const bool is_storage = module == "torch" && bytes_per_number(name) > 0;
    if (!is_storage && std::ranges::find(known_globals, both) == known_globals.end())
      throw Error("it names " + printable(module) + "." + printable(name) + ", which no export does");
    return both;
  }

  static bool is_class(const PickleValue& value) {
    return value.kind == Kind::global && value.text.starts_with("__torch__");
  }

  bool push(PickleValue value) {
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

  std::size_t pop() { return last(1).front(); }

  std::vector<std::size_t> last(std::size_t n) {
    if (stack_.size() < n + (marks_.empty() ? 0 : marks_.back()))
      throw Error("it takes values that are not there");
    const std::vector<std::size_t> items(stack_.end() - static_cast<std::ptrdiff_t>(n), stack_.end());
    stack_.resize(stack_.size() - n);
    return items;
  }

  std::vector<std::size_t> since_mark() {
    if (marks_.empty())
      throw Error("it takes values that are not there");
    auto items = last(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }

  bool fill(Kind kind, const std::vector<std::size_t>& items) {
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

  /// Names of attributes, each once.
  bool has_text_keys(const std::vector<std::size_t>& items) const {
    std::set<std::string_view> keys;
    for (std::size_t k = 0; k < items.size(); k += 2)
      if (values_[items[k]].kind != Kind::text || !keys.insert(values_[items[k]].text).second)
        return false;
    return items.size() % 2 == 0;
  }

  Bytes bytes_;
  PickleValues values_;
  std::vector<std::size_t> stack_, marks_, memo_;
  PickleContents contents_;
};

} // namespace

PickleContents check_pickle(std::string_view content) {
  return Walker(content).walk();
}

} // namespace unnp
