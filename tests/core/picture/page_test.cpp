#include "core/picture/page.h"

#include <gtest/gtest.h>

#include "tests/core/picture/picture_support.h"

namespace ropescope::picture {
namespace {

TEST(WrapText, FitsEveryLineAndLosesNoWord) {
  SKIP_WITHOUT_PICTURES();
  const auto font = Font::embedded(FontWeight::Regular);
  const std::string text = "one pass per document, BOS first, all positions scored";
  std::string joined;
  for (const std::string& line : wrapText(*font, text, 10, 120)) {
    EXPECT_LE(font->textWidth(line, 10), 120) << line;
    joined += joined.empty() ? line : " " + line;
  }
  EXPECT_EQ(joined, text);
}

TEST(WrapText, BreaksInsideAWordThatIsTooLong) {
  SKIP_WITHOUT_PICTURES();
  const auto font = Font::embedded(FontWeight::Regular);
  const std::string path = "models/éééééééééééééééééééééééééééé.safetensors";
  std::string joined;
  for (const std::string& line : wrapText(*font, path, 10, 60)) {
    EXPECT_LE(font->textWidth(line, 10), 60) << line;
    joined += line;
  }
  EXPECT_EQ(joined, path);
}

TEST(WrapText, KeepsNewlines) {
  SKIP_WITHOUT_PICTURES();
  const auto font = Font::embedded(FontWeight::Regular);
  EXPECT_EQ(wrapText(*font, "a\nb", 10, 500), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(wrapText(*font, "", 10, 500).empty());
}

TEST(Page, MakesRoomForALongTitle) {
  SKIP_WITHOUT_PICTURES();
  const Theme theme = makeTheme(ThemeKind::Light);
  const auto brief = layoutPage({"Attention", "", ""}, theme, 500);
  const auto lengthy = layoutPage(
      {"Attention of one head to everything that a very long document holds", "", ""}, theme, 500);
  ASSERT_TRUE(brief);
  ASSERT_TRUE(lengthy);
  EXPECT_GT(lengthy->top, brief->top);
}

}  // namespace
}  // namespace ropescope::picture
