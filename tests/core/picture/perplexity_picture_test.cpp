#include "core/picture/perplexity_picture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/picture/label_column.h"
#include "tests/core/picture/picture_support.h"

namespace ropescope::picture {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

PerplexityPictureInput twoCurves() {
  PerplexityPictureInput input;
  input.protocol = "one pass per document, BOS first, all positions scored";
  input.trainedLength = 1024;
  input.curves = {{"none", {{512, 21, {}}, {1024, 20, {}}, {2048, 90, {}}}},
                  {"YaRN, factor 4", {{512, 22, 0.5}, {1024, 21, 0.5}, {2048, 20.5, 0.4}}}};
  return input;
}

TEST(PerplexityPicture, DrawsBothThemes) {
  SKIP_WITHOUT_PICTURES();
  for (const ThemeKind kind : {ThemeKind::Light, ThemeKind::Dark}) {
    const auto canvas = drawPerplexityPicture(twoCurves(), {.theme = kind, .pixelRatio = 1});
    ASSERT_TRUE(canvas) << canvas.error().message;
    EXPECT_EQ(canvas->pixel(0, 0), makeTheme(kind).paper);
  }
}

TEST(PerplexityPicture, DrawsWhatIsFiniteAndSaysWhatIsNot) {
  SKIP_WITHOUT_PICTURES();
  PerplexityPictureInput input = twoCurves();
  const auto all = drawPerplexityPicture(input, {.pixelRatio = 1});
  input.curves[0].points[2].perplexity = kInfinite;
  const auto most = drawPerplexityPicture(input, {.pixelRatio = 1});
  ASSERT_TRUE(all);
  ASSERT_TRUE(most);
  EXPECT_GT(most->height(), all->height()) << "one more line in the footer";
}

TEST(PerplexityPicture, DrawsASinglePoint) {
  SKIP_WITHOUT_PICTURES();
  PerplexityPictureInput input;
  input.curves = {{"none", {{1000, 20, {}}}}};
  EXPECT_TRUE(drawPerplexityPicture(input, {.pixelRatio = 1}));
}

TEST(PerplexityPicture, RefusesInputWithoutAPoint) {
  PerplexityPictureInput input;
  const auto none = drawPerplexityPicture(input);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(none.error().message,
            "perplexity picture: 0 curves with no finite point; it needs one curve with one "
            "measured length");
  input.curves = {{"none", {{1024, std::nan(""), {}}}}};
  EXPECT_FALSE(drawPerplexityPicture(input));
}

TEST(SpreadHeights, LeavesLabelsThatHaveRoom) {
  const std::vector<double> heights = {10, 50, 90};
  EXPECT_EQ(spreadHeights(heights, 20, 0, 100), heights);
}

TEST(SpreadHeights, MovesNeighboursApartAroundTheirMiddle) {
  EXPECT_EQ(spreadHeights({50, 50}, 20, 0, 100), (std::vector<double>{40, 60}));
  EXPECT_EQ(spreadHeights({52, 50, 51}, 10, 0, 100), (std::vector<double>{61, 41, 51}));
}

TEST(SpreadHeights, StaysInside) {
  EXPECT_EQ(spreadHeights({0, 0, 0}, 10, 5, 100), (std::vector<double>{5, 15, 25}));
  EXPECT_EQ(spreadHeights({99, 100}, 10, 0, 100), (std::vector<double>{90, 100}));
}

TEST(SpreadHeights, SharesTheRoomWhenLabelsAreTooMany) {
  const auto heights = spreadHeights(std::vector<double>(11, 30.0), 20, 0, 100);
  EXPECT_NEAR(*std::min_element(heights.begin(), heights.end()), 0, 1e-9);
  EXPECT_NEAR(*std::max_element(heights.begin(), heights.end()), 100, 1e-9);
}

}  // namespace
}  // namespace ropescope::picture
