#include "core/base/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace ropescope {
namespace {

TEST(JsonText, DeepNestingIsRefusedInsteadOfOverflowingTheStack) {
  const std::string deep(200'000, '[');
  for (const auto& json : {parseJson(deep, "ids.json"), parseJsonObject(deep, "ids.json"),
                           parseJson(deep + std::string(200'000, ']'), "ids.json")}) {
    ASSERT_FALSE(json);
    EXPECT_NE(json.error().message.find("ids.json"), std::string::npos) << json.error().message;
    EXPECT_NE(json.error().message.find("64 levels"), std::string::npos) << json.error().message;
  }
}

TEST(JsonText, SixtyLevelsAreRead) {
  EXPECT_TRUE(parseJson(std::string(60, '[') + std::string(60, ']'), "a.json"));
}

TEST(JsonText, WhatIsNoObjectIsRefusedWhereOneIsWanted) {
  EXPECT_TRUE(parseJson("[1, 2]", "a.json"));
  EXPECT_FALSE(parseJsonObject("[1, 2]", "a.json"));
  EXPECT_FALSE(parseJson("{\"a\":", "a.json"));
  EXPECT_FALSE(parseJson("", "a.json"));
}

TEST(JsonText, LongValuesAreNamedNotPrinted) {
  EXPECT_EQ(shortText(nlohmann::json::array({1, 2, 3})), "a list of 3");
  EXPECT_EQ(shortText(nlohmann::json{{"a", 1}}), "an object of 1 fields");
  EXPECT_EQ(shortText(nlohmann::json("x")), "\"x\"");
  EXPECT_LE(shortText(nlohmann::json(std::string(500, 'x'))).size(), 63U);
}

}  // namespace
}  // namespace ropescope
