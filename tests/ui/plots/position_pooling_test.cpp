#include "ui/plots/position_pooling.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

TEST(PositionPooling, ATokenEachWhenTheyFit) {
  const std::vector<double> values{1, 2, 3, 4};
  const auto pooled = pooledPositions(values, {0, 4}, 100);
  EXPECT_EQ(pooled.positions, (std::vector<double>{0, 1, 2, 3}));
  EXPECT_EQ(pooled.most, values);
  EXPECT_EQ(pooled.mean, values);
  EXPECT_EQ(pooled.tokensPerCell, 1.0);
}

TEST(PositionPooling, LargestAndMeanOfACell) {
  const std::vector<double> values{1, 3, std::nan(""), 5, std::nan(""), std::nan("")};
  const auto pooled = pooledPositions(values, {0, 6}, 3);
  EXPECT_EQ(pooled.positions, (std::vector<double>{0.5, 2.5, 4.5}));
  EXPECT_EQ(pooled.most[0], 3);
  EXPECT_EQ(pooled.mean[0], 2);
  EXPECT_EQ(pooled.most[1], 5);
  EXPECT_EQ(pooled.mean[1], 5);
  EXPECT_TRUE(std::isnan(pooled.most[2]));
}

TEST(PositionPooling, NoTokenIsLostAtAnyWidth) {
  constexpr int kTokens = 3001;
  for (const int width : {1, 200, 431, 1400}) {
    for (int needle = 0; needle < kTokens; needle += 61) {
      std::vector<double> values(kTokens, 0.01);
      values[static_cast<std::size_t>(needle)] = 9.0;
      const auto pooled = pooledPositions(values, {0, kTokens}, width);
      ASSERT_EQ(pooled.most.size(), static_cast<std::size_t>(width));
      EXPECT_EQ(std::count(pooled.most.begin(), pooled.most.end(), 9.0), 1) << needle;
    }
  }
}

TEST(PositionPooling, ARangeIsCutToTheValues) {
  const std::vector<double> values{1, 2, 3};
  EXPECT_EQ(pooledPositions(values, {-5, 99}, 10).most, values);
  EXPECT_TRUE(pooledPositions(values, {3, 9}, 10).most.empty());
  EXPECT_TRUE(pooledPositions({}, {0, 9}, 10).most.empty());
  EXPECT_TRUE(pooledPositions(values, {0, 3}, 0).most.empty());
}

}  // namespace
}  // namespace ropescope::ui
