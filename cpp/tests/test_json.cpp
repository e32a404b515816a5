#include "check.h"

#include "unnp/error.h"
#include "unnp/json.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

using unnp::Json;

TEST(reads_every_kind_of_value) {
  const auto json = Json::parse(R"( {"a": [1, -2.5e3, true, false, null], "b": {"c": "x\ty"}} )");
  const auto& items = *json.object()->at("a").array();
  CHECK(*items[0].number() == 1.0);
  CHECK(*items[1].number() == -2500.0);
  CHECK(*items[2].boolean() && !*items[3].boolean());
  CHECK(items[4].is_null());
  CHECK(*json.object()->at("b").object()->at("c").text() == "x\ty");
  CHECK(Json::parse("[]").array()->empty());
  CHECK(Json::parse("{}").object()->empty());
}

TEST(reads_unicode_escapes) {
  CHECK(*Json::parse(R"("\u00c5 \u20ac \ud83d\ude00")").text() == "\u00c5 \u20ac \U0001F600");
  CHECK_ERROR(Json::parse(R"("\ud83d")"), "surrogate");
  CHECK_ERROR(Json::parse(R"("\u12")"), "4 hex digits");
}

TEST(refuses_what_is_not_json) {
  for (const auto* text :
       {"", "{", "[1,]", "{\"a\" 1}", "\"a", "nul", "1 2", "{'a': 1}", "NaN", "[1 2]", "\"\\x\""})
    CHECK_ERROR(Json::parse(text), "not valid JSON at character");
  CHECK_ERROR(Json::parse(R"({"a": 1, "a": 2})"), "at character 12: the key 'a' stands twice");
  CHECK_ERROR(Json::parse(R"([{"a": {"b": 1, "b": 2}}])"), "the key 'b' stands twice");
  CHECK_ERROR(Json::parse(std::string(100000, '[')), "nested too deeply");
}

TEST(refuses_what_a_laxer_reader_takes) {
  using namespace std::string_literals;
  CHECK_ERROR(Json::parse("\xEF\xBB\xBF{}"), "at character 1: a byte order mark");
  CHECK_ERROR(Json::parse("[1]\0[2]"s), "at character 4: a byte order mark or a zero");
  CHECK_ERROR(Json::parse("[1, // one\n2]"), "at character 5");
  CHECK_ERROR(Json::parse("\"\xff\""), "UTF-8");
  CHECK_ERROR(Json::parse("[1e999]"), "too large or too small");
  CHECK_ERROR(Json::parse("[-1e999]"), "too large or too small");
  CHECK_ERROR(Json::parse("[01]"), "not valid JSON");
}

TEST(says_what_is_wrong_on_one_short_line) {
  const auto text = "{\"a\": \"" + std::string(5000, 'x') + "\n\x1b\"}";
  const auto message = check::message_of<unnp::Error>([&] { Json::parse(text); }, __FILE__, __LINE__);
  CHECK(message.size() < 300);
  CHECK(message.find_first_of("\n\x1b") == std::string::npos);
  CHECK(message.find("json.exception") == std::string::npos);
}

TEST(writes_what_it_reads_back) {
  const std::string text = R"({"a": [1, -0.1, 1e-300, true, null], "b": {"c": "x\t\"y\\\u0001"}, "d": []})";
  CHECK(Json::parse(text).dump() == text);
  CHECK_ERROR(Json(std::numeric_limits<double>::infinity()).dump(), "no number");
}

TEST(numbers_come_back_bit_for_bit) {
  std::mt19937_64 bits(1);
  std::vector<double> numbers = {0.1 + 0.2,
                                 -0.0,
                                 5e-324,
                                 2.2250738585072014e-308,
                                 1.7976931348623157e308,
                                 9007199254740993.0,
                                 1e22,
                                 18446744073709551616.0,
                                 -9223372036854775808.0};
  while (numbers.size() < 20000)
    if (const auto number = std::bit_cast<double>(bits()); std::isfinite(number))
      numbers.push_back(number);
  for (const double number : numbers)
    CHECK(std::bit_cast<std::uint64_t>(*Json::parse(Json(number).dump()).number()) ==
          std::bit_cast<std::uint64_t>(number));
}
