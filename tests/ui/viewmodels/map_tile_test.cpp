#include "ui/viewmodels/map_tile.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

constexpr float kMasked = std::numeric_limits<float>::quiet_NaN();

TEST(PlanAxis, ShowsEveryTokenWhenThereIsRoom) {
  const AxisTile tile = planAxis({0, 100}, {0, 100}, 300);
  EXPECT_EQ(tile.tokens, (TokenRange{0, 100}));
  EXPECT_EQ(tile.cells, 100);
  EXPECT_EQ(tile.tokensPerCell, 1);
}

TEST(PlanAxis, PoolsEquallyManyTokensPerCell) {
  const AxisTile tile = planAxis({0, 1000}, {0, 1000}, 300);
  EXPECT_EQ(tile.tokensPerCell, 4);
  EXPECT_EQ(tile.cells, 250);
}

TEST(PlanAxis, TakesTheTokensThatAreTouched) {
  const AxisTile tile = planAxis({10.3, 20.7}, {0, 100}, 300);
  EXPECT_EQ(tile.tokens, (TokenRange{10, 21}));
}

TEST(PlanAxis, NeverHasMoreCellsThanPixels) {
  for (const int pixels : {1, 7, 64, 311}) {
    for (double lower = 0.0; lower < 60'000.0; lower += 997.3) {
      for (const double size : {8.0, 100.5, 1'234.5, 64'000.0}) {
        const AxisTile tile = planAxis({lower, lower + size}, {4, 65'536}, pixels);
        ASSERT_LE(tile.cells, pixels) << lower << " + " << size;
        ASSERT_GE(tile.cells, 1);
        ASSERT_LE(tile.tokens.begin, std::max(4.0, lower));
        ASSERT_GE(static_cast<double>(tile.tokens.end), std::min(65'536.0, lower + size));
      }
    }
  }
}

TEST(PlanAxis, UsesOnlyTheShareOfThePixelsThatTheTokensCover) {
  EXPECT_LE(planAxis({0, 4000}, {0, 1000}, 400).cells, 100);
}

TEST(PlanAxis, PansInWholeCells) {
  const AxisTile here = planAxis({0, 1000}, {0, 10'000}, 250);
  const AxisTile there = planAxis({3, 1003}, {0, 10'000}, 250);
  EXPECT_EQ(there.tokens.begin % there.tokensPerCell, 0);
  EXPECT_EQ(here.tokens.begin % here.tokensPerCell, 0);
}

TEST(PlanAxis, IsEmptyWhereThereAreNoTokens) {
  EXPECT_EQ(planAxis({200, 300}, {0, 100}, 300).cells, 0);
  EXPECT_EQ(planAxis({0, 100}, {0, 0}, 300).cells, 0);
  EXPECT_EQ(planAxis({0, 100}, {0, 100}, 0).cells, 0);
}

TEST(ValueRange, LeavesMaskedAndZeroCellsOut) {
  const AttentionMap map{{.width = 2, .height = 2}, {0.5F, kMasked, 0.0F, 0.5F}};
  EXPECT_EQ(valueRangeOf(map, ColorScale::Linear), (ValueRange{0.0, 0.5}));
}

TEST(ValueRange, IsPositiveForLogarithms) {
  const AttentionMap masked{{.width = 1, .height = 1}, {kMasked}};
  EXPECT_GT(valueRangeOf(masked, ColorScale::Logarithmic).lower, 0.0);
  const AttentionMap flat{{.width = 1, .height = 1}, {0.25F}};
  const ValueRange range = valueRangeOf(flat, ColorScale::Logarithmic);
  EXPECT_GT(range.lower, 0.0);
  EXPECT_LT(range.lower, range.upper);
}

std::shared_ptr<const AttentionMap> tileOf(int layer) {
  return std::make_shared<const AttentionMap>(
      AttentionMap{{.layer = layer, .width = 2, .height = 2}, {1, 2, 3, 4}});
}

TEST(TileCache, ForgetsTheTileUsedLongestAgo) {
  TileCache cache(8);
  cache.insert(tileOf(0));
  cache.insert(tileOf(1));
  ASSERT_NE(cache.find(tileOf(0)->request), nullptr);
  cache.insert(tileOf(2));
  EXPECT_NE(cache.find(tileOf(0)->request), nullptr);
  EXPECT_EQ(cache.find(tileOf(1)->request), nullptr);
  EXPECT_EQ(cache.cells(), 8U);
}

TEST(TileCache, KeepsOneTilePerRequest) {
  TileCache cache(100);
  cache.insert(tileOf(0));
  cache.insert(tileOf(0));
  EXPECT_EQ(cache.cells(), 4U);
}

}  // namespace
}  // namespace ropescope::ui
