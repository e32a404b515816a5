#include "check.h"

#include "unnp/json.h"

#include <limits>

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
  CHECK_ERROR(Json::parse(R"("\u12")"), "hexadecimal");
}

TEST(refuses_what_is_not_json) {
  for (const auto* text :
       {"", "{", "[1,]", "{\"a\" 1}", "\"a", "nul", "1 2", "{'a': 1}", "NaN", "[1 2]", "\"\\x\""})
    CHECK_ERROR(Json::parse(text), "not valid JSON at character");
  CHECK_ERROR(Json::parse(R"({"a": 1, "a": 2})"), "stands twice");
  CHECK_ERROR(Json::parse(std::string(100000, '[')), "nested too deeply");
}

TEST(writes_what_it_reads_back) {
  const std::string text = R"({"a": [1, -0.1, 1e-300, true, null], "b": {"c": "x\u0009\"y\\"}, "d": []})";
  CHECK(Json::parse(text).dump() == text);
  CHECK(*Json::parse(Json(0.1 + 0.2).dump()).number() == 0.1 + 0.2);
  CHECK_ERROR(Json(std::numeric_limits<double>::infinity()).dump(), "no number");
}
