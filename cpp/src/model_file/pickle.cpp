#include "pickle.h"

#include "bytes.h"
#include "pickle_stack.h"
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
constexpr std::size_t max_values = std::size_t{1} << 22, max_tag = 300;

class Walker {
public:
  explicit Walker(std::string_view content) : bytes_(content, 0) {}

  PickleContents walk() {
    if (bytes_.number<std::uint8_t>() != 0x80 || bytes_.number<std::uint8_t>() != 2)
      throw Error("it is no pickle of torch");
    while (step(bytes_.take(1)[0])) {
    }
    if (!stack_.holds_one_value() || !bytes_.done())
      throw Error("it does not end with one value");
    return std::move(contents_);
  }

private:
  using Kind = PickleValue::Kind;

  /// Carries out one opcode; false after the last.
  bool step(char opcode) {
    if (stack_.values().size() > max_values)
      throw Error("it holds more values than any model");
    switch (opcode) {
    case '.':
      return false;
    case '(':
      stack_.mark();
      break;
    case 'N':
      stack_.push({Kind::none});
      break;
    case '\x88':
    case '\x89':
      stack_.push({Kind::boolean, opcode == '\x88'});
      break;
    case 'G':
      bytes_.take(8);
      stack_.push({Kind::real});
      break;
    case 'X':
      stack_.push({Kind::text, 0, std::string(bytes_.take(bytes_.number<std::uint32_t>()))});
      break;
    case 'c':
      stack_.push({Kind::global, 0, global()});
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
      return stack_.push({Kind::integer, bytes_.number<std::uint8_t>()});
    case 'M':
      return stack_.push({Kind::integer, bytes_.number<std::uint16_t>()});
    case 'J':
      return stack_.push({Kind::integer, static_cast<std::int32_t>(bytes_.number<std::uint32_t>())});
    case '\x8a':
      if (bytes_.number<std::uint8_t>() != 8)
        throw Error("a whole number has not 8 bytes");
      return stack_.push({Kind::integer, static_cast<std::int64_t>(bytes_.number<std::uint64_t>())});
    default:
      return false;
    }
  }

  bool container(char opcode) {
    switch (opcode) {
    case ')':
      return stack_.push({Kind::tuple});
    case ']':
      return stack_.push({Kind::list});
    case '}':
      return stack_.push({Kind::dictionary});
    case 't':
      return stack_.push({Kind::tuple, 0, {}, stack_.since_mark()});
    case '\x85':
    case '\x86':
    case '\x87':
      return stack_.push({Kind::tuple, 0, {}, stack_.last(static_cast<std::size_t>(opcode - '\x84'))});
    case 'e':
      return stack_.fill(Kind::list, stack_.since_mark());
    case 'u':
      return stack_.fill(Kind::dictionary, stack_.since_mark());
    default:
      return false;
    }
  }

  bool memo(char opcode) {
    switch (opcode) {
    case 'q':
      return stack_.remember(bytes_.number<std::uint8_t>());
    case 'r':
      return stack_.remember(bytes_.number<std::uint32_t>());
    case 'h':
      return stack_.recall(bytes_.number<std::uint8_t>());
    case 'j':
      return stack_.recall(bytes_.number<std::uint32_t>());
    default:
      return false;
    }
  }

  bool call(char opcode) {
    switch (opcode) {
    case '\x81': { // an object of a class, made of nothing
      const auto arguments = stack_.pop(), type = stack_.pop();
      if (!is_class(stack_[type]) || stack_[arguments].kind != Kind::tuple)
        throw Error("it makes an object of no class of the archive");
      return push_object(stack_[type].text);
    }
    case 'b': {
      const auto state = stack_.pop();
      if (stack_[state].kind != Kind::dictionary)
        throw Error("an object has no table of attributes");
      stack_.fill(Kind::object, {state});
      note_object(stack_.top().text, stack_[state].items);
      return true;
    }
    case 'Q': {
      const auto array = read_array(stack_.values(), stack_[stack_.pop()]);
      contents_.arrays.push_back(array);
      return stack_.push({Kind::array, array.numbers, array.key});
    }
    case 'R': {
      const auto arguments = stack_.pop(), function = stack_.pop();
      return stack_.push(result(stack_[function], arguments));
    }
    default:
      return false;
    }
  }

  bool push_object(std::string type) {
    std::ranges::replace(type, '\n', '.');
    PickleValue object{Kind::object, 0, std::move(type)};
    object.has_object = true;
    return stack_.push(std::move(object));
  }

  /// Objects are attributes of objects and nothing else, so that their classes can be compared with the
  /// code's.
  void note_object(const std::string& type, const std::vector<std::size_t>& items) {
    PickledObject object{type, {}};
    for (std::size_t k = 0; k + 1 < items.size(); k += 2) {
      const auto& value = stack_[items[k + 1]];
      if (value.has_object && value.kind != Kind::object)
        throw Error("it holds objects in a list or table");
      object.attributes[stack_[items[k]].text] = value.kind == Kind::object ? value.text : "";
    }
    contents_.objects.push_back(std::move(object));
  }

  PickleValue result(const PickleValue& function, std::size_t arguments) {
    if (function.kind != Kind::global || stack_[arguments].kind != Kind::tuple || is_class(function))
      throw Error("it calls what is no function");
    if (function.text.ends_with("_rebuild_tensor_v2")) {
      check_tensor(stack_.values(), stack_[arguments]);
      return {Kind::tensor, 0, {}, {arguments}};
    }
    if (function.text.ends_with("restore_type_tag")) {
      const auto& items = stack_[arguments].items;
      if (items.size() != 2 || stack_[items[1]].kind != Kind::text || !is_tag(stack_[items[1]].text))
        throw Error("a list has no name of its type");
      return {stack_[items[0]].kind, 0, {}, {arguments}, 0, true};
    }
    if (function.text.ends_with("Storage"))
      throw Error("it calls what is no function");
    const bool is_table = function.text.ends_with("OrderedDict");
    if (is_table && !stack_[arguments].items.empty())
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

  Bytes bytes_;
  PickleStack stack_;
  PickleContents contents_;
};

} // namespace

PickleContents check_pickle(std::string_view content) {
  return Walker(content).walk();
}

} // namespace unnp
