#include "core/picture/attention_picture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/picture/attention_cells.h"
#include "core/picture/colormap.h"
#include "tests/core/picture/picture_support.h"

namespace ropescope::picture {
namespace {

constexpr float kMasked = std::numeric_limits<float>::quiet_NaN();
constexpr double kPlainlyVisible = 0.15;  // OKLab distance; about 0.02 is just noticeable

// A causal map whose unmasked weights wander a little around 1e-4.
AttentionPictureInput causalMap(int cells, std::int64_t tokens) {
  AttentionPictureInput input{.width = cells, .height = cells};
  input.queries = {0, tokens};
  input.keys = {0, tokens};
  input.title = "Attention map";
  for (int row = 0; row < cells; ++row) {
    for (int column = 0; column < cells; ++column) {
      const float wander = 1.0F + 0.5F * std::sin(static_cast<float>(row * 7 + column * 13));
      input.values.push_back(column > row ? kMasked : 1e-4F * wander);
    }
  }
  return input;
}

Color cellColor(const AttentionPicture& picture, int row, int column) {
  const MapPlace& map = picture.map;
  const int x = column / map.joinedAcross;
  const int y = row / map.joinedDown;
  return picture.canvas.pixel(map.left + x * map.cellWidth + map.cellWidth / 2,
                              map.top + y * map.cellHeight + map.cellHeight / 2);
}

TEST(JoinByMaximum, KeepsTheLargestAndRaggedEnds) {
  const CellGrid joined =
      joinByMaximum({3, 3, {1, 5, 2, 3, 4, kMasked, 0, kMasked, kMasked}}, 2, 2);
  ASSERT_EQ(joined.columns, 2);
  ASSERT_EQ(joined.rows, 2);
  EXPECT_EQ(joined.at(0, 0), 5);
  EXPECT_EQ(joined.at(0, 1), 2);
  EXPECT_EQ(joined.at(1, 0), 0);
  EXPECT_TRUE(std::isnan(joined.at(1, 1)));
}

TEST(ChooseRange, IsNotRuledByTheFirstTokens) {
  CellGrid cells{.columns = 100, .rows = 100, .values = std::vector<float>(10000, 1e-4F)};
  for (std::size_t row = 0; row < 100; ++row) cells.values[row * 100] = 0.9F;
  const WeightRange range = chooseRange(cells, 1, 1e-4);
  EXPECT_LT(range.high, 1e-3);
  EXPECT_TRUE(range.hasAbove) << "the first column is drawn as off the scale";
}

TEST(ChooseRange, FollowsTheWeightsDownWhenMostAreTiny) {
  CellGrid cells{.columns = 100, .rows = 100, .values = std::vector<float>(10000, 1e-7F)};
  for (std::size_t i = 0; i < 500; ++i) cells.values[i] = 0.5F;
  const WeightRange range = chooseRange(cells, 0, 1e-4);
  EXPECT_LE(range.low, 1e-7 * 1.001);
}

TEST(ChooseRange, IsPositiveForEqualAndForZeroWeights) {
  for (const float weight : {0.0F, 0.25F}) {
    const WeightRange range = chooseRange({2, 2, std::vector<float>(4, weight)}, 0, 1e-4);
    EXPECT_GT(range.low, 0);
    EXPECT_GT(range.high, range.low);
  }
}

// One bright weight at each of 60 places: at cells larger than a pixel, and joined 3 and more to
// one.
class NeedleTest : public testing::TestWithParam<int> {};

TEST_P(NeedleTest, IsVisibleAtEveryPosition) {
  SKIP_WITHOUT_PICTURES();
  constexpr int kPositions = 60;
  const int cells = GetParam();
  AttentionPictureInput input = causalMap(cells, cells);
  for (int i = 0; i < kPositions; ++i) {
    const int row = cells - 1 - (i * 7) % (cells / 3);
    const int column = 4 + i * (row - 5) / kPositions;
    const std::size_t at = static_cast<std::size_t>(row) * static_cast<std::size_t>(cells) +
                           static_cast<std::size_t>(column);
    const float before = input.values[at];
    input.values[at] = 0.4F;
    // The full size is slow; a low pixel ratio forces joining all the more.
    const auto picture = drawAttentionPicture(input, {.pixelRatio = 0.25});
    ASSERT_TRUE(picture) << picture.error().message;
    input.values[at] = before;
    const int step = picture->map.joinedAcross * 3;
    const Color needle = cellColor(*picture, row, column);
    const Color beside = cellColor(*picture, row, column >= step ? column - step : column + step);
    EXPECT_GT(perceivedDistance(needle, beside), kPlainlyVisible)
        << "row " << row << ", column " << column << " of " << cells;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, NeedleTest, testing::Values(64, 301, 700));

TEST(AttentionPicture, JoinsCellsOnlyWhenTheyAreMoreThanPixels) {
  SKIP_WITHOUT_PICTURES();
  const auto fine = drawAttentionPicture(causalMap(300, 1200));
  ASSERT_TRUE(fine);
  EXPECT_EQ(fine->map.joinedAcross, 1);
  EXPECT_GE(fine->map.cellWidth, 2);
  const auto crowded = drawAttentionPicture(causalMap(300, 1200), {.pixelRatio = 0.2});
  ASSERT_TRUE(crowded);
  EXPECT_EQ(crowded->map.joinedAcross, 2);
  EXPECT_EQ(crowded->map.cellWidth, 1);
}

TEST(AttentionPicture, DrawsMaskedCellsNeutral) {
  SKIP_WITHOUT_PICTURES();
  const auto picture = drawAttentionPicture(causalMap(64, 64));
  ASSERT_TRUE(picture);
  const Theme theme = makeTheme(ThemeKind::Light);
  const Color future = cellColor(*picture, 30, 50);
  EXPECT_TRUE(future == theme.masked || future == theme.maskedHatch);
}

TEST(AttentionPicture, IsNotOneColor) {
  SKIP_WITHOUT_PICTURES();
  AttentionPictureInput input = causalMap(128, 128);
  for (std::size_t row = 0; row < 128; ++row) input.values[row * 128] = 0.95F;  // sink
  for (const ThemeKind kind : {ThemeKind::Light, ThemeKind::Dark}) {
    const auto picture = drawAttentionPicture(input, {.theme = kind, .pixelRatio = 1});
    ASSERT_TRUE(picture);
    double least = 2;
    double most = -1;
    for (int column = 1; column < 100; ++column) {
      const double lightness = toOkLab(cellColor(*picture, 120, column)).lightness;
      least = std::min(least, lightness);
      most = std::max(most, lightness);
    }
    EXPECT_GT(most - least, kPlainlyVisible);
  }
}

TEST(AttentionPicture, DrawsAnyShape) {
  SKIP_WITHOUT_PICTURES();
  struct Shape {
    int width;
    int height;
  };
  for (const Shape shape : {Shape{1, 1}, Shape{1, 40}, Shape{997, 3}, Shape{17, 251}}) {
    AttentionPictureInput input{.width = shape.width, .height = shape.height};
    input.values.assign(
        static_cast<std::size_t>(shape.width) * static_cast<std::size_t>(shape.height), 0.01F);
    input.keys = {5, 5 + 3 * shape.width + 1};
    input.queries = {4000, 4000 + shape.height};
    const auto picture = drawAttentionPicture(input);
    ASSERT_TRUE(picture) << picture.error().message;
    const MapPlace& map = picture->map;
    EXPECT_LE(map.left + map.columns * map.cellWidth, picture->canvas.pixelWidth());
    EXPECT_LE(map.top + map.rows * map.cellHeight, picture->canvas.pixelHeight());
  }
}

TEST(AttentionPicture, RefusesWhatItCannotShow) {
  AttentionPictureInput good = causalMap(4, 4);
  const auto messageOf = [](const AttentionPictureInput& input) {
    const auto picture = drawAttentionPicture(input);
    EXPECT_FALSE(picture);
    if (picture) return std::string();
    EXPECT_EQ(picture.error().code, ErrorCode::InvalidArgument);
    return picture.error().message;
  };
  EXPECT_EQ(messageOf({}), "attention picture: the map is 0 x 0 cells; it needs at least 1 x 1");
  AttentionPictureInput input = good;
  input.values.pop_back();
  EXPECT_EQ(messageOf(input),
            "attention picture: 15 weights were given for 4 x 4 cells; it needs 16");
  input = good;
  input.keys = {};
  EXPECT_NE(messageOf(input).find("each range needs at least one token"), std::string::npos);
  input = good;
  input.values.assign(16, kMasked);
  EXPECT_NE(messageOf(input).find("all cells are masked"), std::string::npos);
  input = good;
  input.values[0] = -0.5F;
  EXPECT_NE(messageOf(input).find("-0.5"), std::string::npos);
  input.values[0] = std::numeric_limits<float>::infinity();
  EXPECT_NE(messageOf(input).find("weights lie in 0..1"), std::string::npos);
}

}  // namespace
}  // namespace ropescope::picture
