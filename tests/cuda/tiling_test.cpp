// What the CUDA kernels compute, checked without a GPU: host and device share these sources.
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/cuda/map_cells.h"
#include "core/cuda/rotary_math.h"
#include "core/probe/attention_map.h"
#include "tests/cuda/map_twin.h"

namespace ropescope::cuda {
namespace {

// float32 scores of size 10 over 40 products, then exp: about 10 * 40 * 2^-24 relative.
constexpr float kWeightTolerance = 3e-5F;

struct Case {
  std::string name;
  std::int64_t tokens;
  int headDim;
  TokenRange queries;
  TokenRange keys;
  int height;
  int width;
};

AttentionMapArgs argsFor(const Case& what, const Head& head, MapReducer reducer,
                         std::vector<float>& out) {
  AttentionMapArgs args;
  args.q = head.q.data();
  args.k = head.k.data();
  args.lse = head.lse.data();
  args.queryStride = what.headDim;
  args.keyStride = what.headDim;
  args.queryBegin = what.queries.begin;
  args.queryEnd = what.queries.end;
  args.keyBegin = what.keys.begin;
  args.keyEnd = what.keys.end;
  args.height = what.height;
  args.width = what.width;
  args.rowEnd = what.height;
  args.headDim = what.headDim;
  args.scale = 1.0F / std::sqrt(static_cast<float>(what.headDim));
  args.reducer = reducer;
  out.assign(static_cast<std::size_t>(what.height * what.width), -1.0F);
  args.out = out.data();
  return args;
}

void expectSame(const std::vector<float>& found, const std::vector<float>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(std::isnan(found[i]), std::isnan(wanted[i])) << "cell " << i;
    if (std::isnan(wanted[i])) continue;
    ASSERT_NEAR(found[i], wanted[i], kWeightTolerance) << "cell " << i;
  }
}

class MapTiling : public testing::TestWithParam<Case> {};

TEST_P(MapTiling, IsTheDenseSoftmaxPooled) {
  const Head head = makeHead(GetParam().tokens, GetParam().headDim);
  for (const MapReducer reducer : {MapReducer::Max, MapReducer::Mean}) {
    std::vector<float> found;
    const AttentionMapArgs args = argsFor(GetParam(), head, reducer, found);
    drawOnHost<float>(args);
    expectSame(found, denseMap(head, args));
  }
}

TEST_P(MapTiling, DoesNotDependOnTheOrderOfThreads) {
  const Head head = makeHead(GetParam().tokens, GetParam().headDim);
  for (const MapReducer reducer : {MapReducer::Max, MapReducer::Mean}) {
    std::vector<float> forward;
    drawOnHost<float>(argsFor(GetParam(), head, reducer, forward), ThreadOrder::Forward);
    std::vector<float> backward;
    drawOnHost<float>(argsFor(GetParam(), head, reducer, backward), ThreadOrder::Backward);
    ASSERT_EQ(std::memcmp(forward.data(), backward.data(), forward.size() * sizeof(float)), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, MapTiling,
    testing::Values(Case{"OneToken", 1, 8, {0, 1}, {0, 1}, 1, 1},
                    Case{"OneCell", 150, 8, {0, 150}, {0, 150}, 1, 1},
                    Case{"OneCellPerToken", 70, 16, {0, 70}, {0, 70}, 70, 70},
                    Case{"Seven", 100, 40, {0, 100}, {0, 100}, 7, 7},
                    Case{"TilesAndCellsDisagree", 300, 8, {0, 300}, {0, 300}, 64, 64},
                    Case{"RaggedRanges", 300, 24, {37, 291}, {3, 270}, 64, 19},
                    Case{"WideAndFlat", 200, 8, {190, 200}, {0, 200}, 2, 200},
                    Case{"NarrowAndTall", 200, 8, {0, 200}, {100, 103}, 90, 2},
                    Case{"AllInTheFuture", 200, 8, {0, 50}, {100, 200}, 5, 5},
                    Case{"HeadSizeBeyondOnePart", 80, 96, {10, 80}, {0, 80}, 9, 9}),
    [](const auto& shape) { return shape.param.name; });

TEST(MapTilingSlices, DrawTheSamePictureFromTheirQueriesAlone) {
  const Case what{"", 300, 8, {20, 300}, {0, 300}, 13, 40};
  const Head head = makeHead(what.tokens, what.headDim);
  std::vector<float> whole;
  const AttentionMapArgs args = argsFor(what, head, MapReducer::Mean, whole);
  drawOnHost<float>(args);
  std::vector<float> sliced(whole.size());
  for (int row = 0; row < what.height; ++row) {
    AttentionMapArgs slice = args;
    slice.out = sliced.data();
    slice.rowBegin = row;
    slice.rowEnd = row + 1;
    slice.firstQuery = cellBorder(args.queryBegin, args.queryEnd, args.height, row);
    slice.q = head.q.data() + slice.firstQuery * args.queryStride;
    slice.lse = head.lse.data() + slice.firstQuery;
    drawOnHost<float>(slice);
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (std::isnan(whole[i])) continue;
    EXPECT_EQ(sliced[i], whole[i]) << "cell " << i;
  }
}

TEST(MapTilingMax, ShowsAOneTokenNeedleAtEveryPosition) {
  const Case what{"", 130, 8, {129, 130}, {0, 130}, 1, 6};
  for (int needle = 0; needle < 130; ++needle) {
    Head head{what.headDim, std::vector<float>(130 * 8), std::vector<float>(130 * 8),
              std::vector<float>(130, std::log(20.0F + 129.0F))};
    const double large = std::log(20.0) * std::sqrt(8.0);  // weight 20 against 1
    head.q[129 * 8] = 1.0F;
    head.k[static_cast<std::size_t>(needle) * 8] = static_cast<float>(large);
    std::vector<float> found;
    drawOnHost<float>(argsFor(what, head, MapReducer::Max, found));
    const int cell = (needle * 6 + 5) / 130;  // the last cell that starts at or before it
    EXPECT_NEAR(found[static_cast<std::size_t>(cell)], 20.0F / 149.0F, kWeightTolerance) << needle;
  }
}

TEST(MapTilingMax, KeepsANotANumberVisible) {
  const Case what{"", 100, 8, {0, 100}, {0, 100}, 1, 2};
  Head head = makeHead(what.tokens, what.headDim);
  head.k[8 * 10] = std::nanf("");
  std::vector<float> found;
  drawOnHost<float>(argsFor(what, head, MapReducer::Max, found));
  EXPECT_TRUE(std::isnan(found[0]));
  EXPECT_FALSE(std::isnan(found[1]));
}

TEST(VisiblePairs, AreCountedAsByHand) {
  EXPECT_EQ(visiblePairs(0, 1, 0, 1), 1);
  EXPECT_EQ(visiblePairs(0, 3, 0, 3), 6);  // a triangle
  EXPECT_EQ(visiblePairs(5, 7, 0, 3), 6);  // wholly in the past
  EXPECT_EQ(visiblePairs(0, 3, 5, 9), 0);  // wholly in the future
  EXPECT_EQ(visiblePairs(0, 1 << 20, 0, 1 << 20), (std::int64_t{1} << 39) + (1 << 19));
}

TEST(VisiblePairs, AreCountedAsOneByOne) {
  for (int q0 = 0; q0 < 6; ++q0) {
    for (int q1 = q0; q1 < 9; ++q1) {
      for (int k0 = 0; k0 < 7; ++k0) {
        for (int k1 = k0; k1 < 9; ++k1) {
          std::int64_t pairs = 0;
          for (int q = q0; q < q1; ++q) {
            for (int k = k0; k < k1; ++k) pairs += k <= q ? 1 : 0;
          }
          EXPECT_EQ(visiblePairs(q0, q1, k0, k1), pairs) << q0 << q1 << k0 << k1;
        }
      }
    }
  }
}

TEST(MapGroups, CoverEveryColumnCellOnceAndFitTheAccumulators) {
  for (const std::int64_t keys : {1, 7, 64, 300, 4096, 65536, 1 << 20}) {
    for (const int width : {1, 7, 64, 300, 512, 2048}) {
      if (width > keys) continue;
      AttentionMapArgs args;
      args.queryEnd = args.keyEnd = keys;
      args.height = args.width = width;
      int next = 0;
      for (int group = 0; group < groupCount(keys, width); ++group) {
        const MapBlock part = mapBlock(args, 0, group);
        EXPECT_EQ(part.cellBegin, next);
        EXPECT_LE(part.cellEnd - part.cellBegin, kMapMaxCells);
        EXPECT_GT(part.cellEnd, part.cellBegin);
        next = part.cellEnd;
      }
      EXPECT_EQ(next, width);
    }
  }
}

TEST(MapCells, StartWhereThePictureOfTheCoreSays) {
  for (const int cells : {1, 7, 64, 300}) {
    for (int index = 0; index <= cells; ++index) {
      EXPECT_EQ(cellBorder(11, 65000, cells, index), cellBegin({11, 65000}, cells, index));
    }
  }
}

TEST(RotaryKernel, RotatesEveryPairOfEveryHeadByItsToken) {
  constexpr int kTokens = 3;
  constexpr int kHeads = 2;
  constexpr int kPairs = 4;
  const std::vector<float> before = counted(kTokens * kHeads * 2 * kPairs, 3);
  std::vector<float> cosine;
  std::vector<float> sine;
  for (int i = 0; i < kTokens * kPairs; ++i) {
    cosine.push_back(std::cos(0.3F * static_cast<float>(i)));
    sine.push_back(std::sin(0.3F * static_cast<float>(i)));
  }
  std::vector<float> x = before;
  RotaryArgs args{
      x.data(), cosine.data(), sine.data(),          kTokens, kHeads * 2 * kPairs, 2 * kPairs,
      kHeads,   kPairs,        ElementType::Float32, 0};
  for (int i = 0; i < kTokens * kHeads * kPairs; ++i) rotatePair<float>(args, i);
  for (int token = 0; token < kTokens; ++token) {
    for (int head = 0; head < kHeads; ++head) {
      for (int pair = 0; pair < kPairs; ++pair) {
        const auto at = static_cast<std::size_t>((token * kHeads + head) * 2 * kPairs + pair);
        const auto row = static_cast<std::size_t>(token * kPairs + pair);
        EXPECT_EQ(x[at], before[at] * cosine[row] - before[at + kPairs] * sine[row]);
        EXPECT_EQ(x[at + kPairs], before[at + kPairs] * cosine[row] + before[at] * sine[row]);
      }
    }
  }
}

}  // namespace
}  // namespace ropescope::cuda
