#include "core/probe/tile_pooling.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace ropescope {
namespace {

// Whole attention, row by row, cut into tiles of odd sizes.
std::vector<float> pool(const MapRequest& request, const std::vector<float>& weights,
                        std::int64_t tokens, std::int64_t tileRows, std::int64_t tileColumns) {
  std::vector<float> picture(
      static_cast<std::size_t>(request.width) * static_cast<std::size_t>(request.height), -1.0F);
  PooledRows pooled(request, 0, request.height - 1);
  for (auto query = request.queries.begin; query < request.queries.end; query += tileRows) {
    const auto rows = std::min(tileRows, request.queries.end - query);
    for (auto key = request.keys.begin; key < request.keys.end; key += tileColumns) {
      const auto columns = std::min(tileColumns, request.keys.end - key);
      std::vector<float> tile;
      for (auto r = query; r < query + rows; ++r) {
        for (auto c = key; c < key + columns; ++c) {
          const float weight = weights[static_cast<std::size_t>(r * tokens + c)];
          tile.push_back(request.reducer == Reducer::Max ? std::log(weight) : weight);
        }
      }
      pooled.add({tile.data(), rows, columns, query, key});
    }
  }
  pooled.write(picture);
  return picture;
}

TEST(TilePooling, GivesTheSameWhateverTheTiles) {
  constexpr std::int64_t kTokens = 97;
  std::mt19937 random(1);
  std::vector<float> weights(kTokens * kTokens);
  for (float& weight : weights) weight = static_cast<float>(random() % 1000 + 1) / 1001.0F;
  for (const Reducer reducer : {Reducer::Max, Reducer::Mean}) {
    const MapRequest request{
        .queries = {5, 92}, .keys = {3, 97}, .width = 13, .height = 9, .reducer = reducer};
    const auto whole = pool(request, weights, kTokens, kTokens, kTokens);
    for (const auto& [rows, columns] : {std::pair{1, 1}, {7, 5}, {16, 64}, {3, 94}}) {
      const auto tiled = pool(request, weights, kTokens, rows, columns);
      for (std::size_t i = 0; i < whole.size(); ++i) {
        if (std::isnan(whole[i])) {
          EXPECT_TRUE(std::isnan(tiled[i]));
        } else {
          EXPECT_FLOAT_EQ(tiled[i], whole[i]);
        }
      }
    }
  }
}

// By hand: 4 queries and keys, 2 x 2 cells, weights 0.1 … 1.6 (those in the future count nowhere).
TEST(TilePooling, PoolsAFourByFourMatrixByHand) {
  std::vector<float> weights;
  for (int i = 1; i <= 16; ++i) weights.push_back(static_cast<float>(i) / 20.0F);
  MapRequest request{
      .queries = {0, 4}, .keys = {0, 4}, .width = 2, .height = 2, .reducer = Reducer::Max};
  const auto max = pool(request, weights, 4, 4, 4);
  EXPECT_FLOAT_EQ(max[0], 6.0F / 20);   // of 1, 5, 6
  EXPECT_TRUE(std::isnan(max[1]));      // keys 2 and 3 lie in the future of queries 0 and 1
  EXPECT_FLOAT_EQ(max[2], 14.0F / 20);  // of 9, 10, 13, 14
  EXPECT_FLOAT_EQ(max[3], 16.0F / 20);  // of 11, 15, 16
  request.reducer = Reducer::Mean;
  const auto mean = pool(request, weights, 4, 4, 4);
  EXPECT_FLOAT_EQ(mean[0], 12.0F / 3 / 20);
  EXPECT_TRUE(std::isnan(mean[1]));
  EXPECT_FLOAT_EQ(mean[2], 46.0F / 4 / 20);
  EXPECT_FLOAT_EQ(mean[3], 42.0F / 3 / 20);
}

TEST(TilePooling, MaxKeepsANeedleAtEachOfSixtyPlaces) {
  constexpr std::int64_t kTokens = 3001;
  MapRequest request{.queries = {kTokens - 1, kTokens},
                     .keys = {0, kTokens},
                     .width = 60,
                     .height = 1,
                     .reducer = Reducer::Max};
  for (int place = 0; place < 60; ++place) {
    const auto needle = static_cast<std::size_t>(place * 50 + place % 50);
    std::vector<float> row(kTokens, -15.0F);
    row[needle] = -0.05F;
    PooledRows pooled(request, 0, 0);
    pooled.add({row.data(), 1, kTokens, kTokens - 1, 0});
    std::vector<float> picture(60);
    pooled.write(picture);
    for (int column = 0; column < 60; ++column) {
      const bool here = cellBegin(request.keys, 60, column) <= static_cast<std::int64_t>(needle) &&
                        static_cast<std::int64_t>(needle) < cellBegin(request.keys, 60, column + 1);
      EXPECT_NEAR(picture[static_cast<std::size_t>(column)], here ? std::exp(-0.05) : std::exp(-15),
                  1e-6);
    }
  }
}

TEST(TilePooling, CellsCoverTheRangeOnce) {
  for (const std::int64_t tokens : {1, 2, 60, 97, 513, 100'000}) {
    for (int cells = 1; cells <= std::min<std::int64_t>(tokens, 70); ++cells) {
      const TokenRange range{11, 11 + tokens};
      EXPECT_EQ(cellBegin(range, cells, 0), range.begin);
      EXPECT_EQ(cellBegin(range, cells, cells), range.end);
      for (int cell = 0; cell < cells; ++cell) {
        EXPECT_LT(cellBegin(range, cells, cell), cellBegin(range, cells, cell + 1));
      }
    }
  }
}

}  // namespace
}  // namespace ropescope
