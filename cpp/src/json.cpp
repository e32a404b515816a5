#include "unnp/json.h"

#include "unnp/error.h"
#include "unnp/text.h"

#include <nlohmann/json.hpp>

#include <sstream>

namespace unnp {

namespace {

constexpr int max_depth = 200;

[[noreturn]] void fail(std::streamoff character, const std::string& what) {
  throw Error("not valid JSON at character " + std::to_string(character) + ": " + printable(what));
}

/// Makes a tree of what nlohmann-json reads; refuses doubled keys and nests too deep for what recurses later.
class Builder final : public nlohmann::json::json_sax_t {
public:
  Json root;

  explicit Builder(std::istream& text) : text_(text) {}
  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(std::int64_t value) override { return add(Json(static_cast<double>(value))); }
  bool number_unsigned(std::uint64_t value) override { return add(Json(static_cast<double>(value))); }
  bool number_float(double value, const std::string&) override { return add(Json(value)); }
  bool string(std::string& value) override { return add(Json(std::move(value))); }
  bool binary(nlohmann::json::binary_t&) override { return false; } // never in a text
  bool start_object(std::size_t) override { return open({Json::Object(), {}}); }
  bool start_array(std::size_t) override { return open({Json::Array(), {}}); }
  bool end_object() override { return close<Json::Object>(); }
  bool end_array() override { return close<Json::Array>(); }

  bool key(std::string& key) override {
    if (std::get<Json::Object>(open_.back().items).contains(key))
      fail(text_.tellg(), "the key '" + key + "' stands twice");
    open_.back().key = std::move(key);
    return true;
  }

  bool parse_error(std::size_t at, const std::string&, const nlohmann::json::exception& error) override {
    if (dynamic_cast<const nlohmann::json::out_of_range*>(&error))
      fail(std::streamoff(at), "a number that is too large or too small");
    const std::string what = error.what(); // "[class] parse error at line 1, column 2: what is wrong"
    fail(std::streamoff(at), what.substr(what.find(": ") + 2));
  }

private:
  struct Open {
    std::variant<Json::Array, Json::Object> items;
    std::string key; ///< of the member that is being read
  };

  bool open(Open opened) {
    if (std::ssize(open_) == max_depth)
      fail(text_.tellg(), "nested too deeply");
    open_.push_back(std::move(opened));
    return true;
  }

  bool add(Json value) {
    if (open_.empty())
      root = std::move(value);
    else if (auto* array = std::get_if<Json::Array>(&open_.back().items))
      array->push_back(std::move(value));
    else
      std::get<Json::Object>(open_.back().items).emplace(std::move(open_.back().key), std::move(value));
    return true;
  }

  template <typename Kind>
  bool close() {
    auto items = std::get<Kind>(std::move(open_.back().items));
    open_.pop_back();
    return add(Json(std::move(items)));
  }

  std::istream& text_;
  std::vector<Open> open_;
};

} // namespace

Json Json::parse(std::string_view text) {
  const auto odd = text.starts_with("\xEF\xBB\xBF") ? 0 : text.find('\0');
  if (odd != text.npos) // nlohmann-json skips the one and takes the other for the end
    fail(std::streamoff(odd) + 1, "a byte order mark or a zero, which JSON does not have");
  std::istringstream stream{std::string(text)};
  Builder builder(stream);
  nlohmann::json::sax_parse(stream, &builder);
  return std::move(builder.root);
}

} // namespace unnp
