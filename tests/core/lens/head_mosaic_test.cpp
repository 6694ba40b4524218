// Bands of the mosaic are single-head maps of the same cells, and the dense softmax.
#include "core/lens/head_mosaic.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/plain_decoder.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

// As in attention_map_test.cpp: float32 scores behind three float32 layers, against double.
constexpr double kTinyFloat32 = 2e-5;
// The same products in another order of blocks: some float32 roundings of scores below 100.
constexpr double kOtherBlocks = 2e-5;

const rope::MethodChoice kYarn{.id = "yarn", .values = {}, .factor = 4.0};

struct Reading {
  EnginePtr engine = loadEngine(tinyPath());
  Ids ids;
  std::unique_ptr<Session> session;

  explicit Reading(std::int64_t tokens, std::vector<int> layers = {0, 1, 2}) {
    ids = randomIds(128, static_cast<std::size_t>(tokens), 11);
    session = newSession(
        engine, {.rope = kYarn, .contextTokens = tokens, .captureLayers = std::move(layers)});
    EXPECT_TRUE(session->prefill({ids}, {}));
  }
};

MosaicBand draw(const Session& session, const MosaicRequest& request) {
  const auto band = drawMosaicBand(session, request, {});
  if (!band) {
    ADD_FAILURE() << band.error().message;
    std::abort();
  }
  return *band;
}

float cell(const MosaicBand& band, int head, int row, int column) {
  const MosaicRequest& r = band.request;
  const int index = (head * (r.endRow - r.firstRow) + row - r.firstRow) * r.endRow + column;
  return band.values.at(static_cast<std::size_t>(index));
}

bool same(float a, float b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

TEST(HeadMosaic, GridHasAsManyCellsAsFit) {
  EXPECT_EQ(mosaicGrid(1000, 48), (MosaicGrid{21, 48}));
  EXPECT_EQ(mosaicGrid(1000, 64), (MosaicGrid{16, 63}));
  EXPECT_EQ(mosaicGrid(10, 64), (MosaicGrid{1, 10}));
  EXPECT_EQ(mosaicGrid(0, 64), (MosaicGrid{1, 0}));
}

TEST(HeadMosaic, IsTheSingleHeadMapForEveryHead) {
  const Reading reading(192);
  for (const Reducer reducer : {Reducer::Max, Reducer::Mean}) {
    for (int layer = 0; layer < 3; ++layer) {
      const MosaicBand band =
          draw(*reading.session,
               {.layer = layer, .tokensPerCell = 16, .endRow = 12, .reducer = reducer});
      ASSERT_EQ(band.heads, 4);
      for (int head = 0; head < 4; ++head) {
        const auto map = reading.session->attentionMap({.layer = layer,
                                                        .head = head,
                                                        .queries = {0, 192},
                                                        .keys = {0, 192},
                                                        .width = 12,
                                                        .height = 12,
                                                        .reducer = reducer},
                                                       {});
        ASSERT_TRUE(map);
        for (int i = 0; i < 144; ++i) {
          ASSERT_TRUE(
              same(cell(band, head, i / 12, i % 12), map->values[static_cast<std::size_t>(i)]))
              << "layer " << layer << ", head " << head << ", cell " << i;
        }
      }
    }
  }
}

TEST(HeadMosaic, BandsMakeTheSamePictureAsOne) {
  const Reading reading(192);
  const MosaicRequest whole{.layer = 1, .tokensPerCell = 16, .endRow = 12};
  const MosaicBand all = draw(*reading.session, whole);
  for (const auto& [first, end] : {std::pair{0, 5}, std::pair{5, 6}, std::pair{6, 12}}) {
    MosaicRequest part = whole;
    part.firstRow = first;
    part.endRow = end;
    const MosaicBand band = draw(*reading.session, part);
    for (int head = 0; head < band.heads; ++head) {
      for (int row = first; row < end; ++row) {
        for (int column = 0; column <= row; ++column) {
          EXPECT_NEAR(cell(band, head, row, column), cell(all, head, row, column), kOtherBlocks);
        }
      }
    }
  }
}

// Cells written out, not taken from the library.
void expectDense(const Reading& reading, const MosaicRequest& request) {
  const PlainDecoder decoder(tinyPath(), reading.engine->config(), reading.session->plan());
  const auto qk = decoder.run(reading.ids);
  const MosaicBand band = draw(*reading.session, request);
  const auto tokens = static_cast<std::int64_t>(reading.ids.size());
  const auto cells = static_cast<std::size_t>(request.endRow);
  for (int head = 0; head < band.heads; ++head) {
    std::vector<double> most(cells * cells, 0.0);
    std::vector<double> sum(cells * cells, 0.0);
    std::vector<int> pairs(cells * cells, 0);
    for (std::int64_t q = 0; q < std::min(tokens, request.endRow * request.tokensPerCell); ++q) {
      const auto weights = decoder.weights(qk[static_cast<std::size_t>(request.layer)], head, q);
      for (std::int64_t k = request.ignoredTokens; k <= q; ++k) {
        const auto at = static_cast<std::size_t>(q / request.tokensPerCell) * cells +
                        static_cast<std::size_t>(k / request.tokensPerCell);
        most[at] = std::max(most[at], weights[static_cast<std::size_t>(k)]);
        sum[at] += weights[static_cast<std::size_t>(k)];
        ++pairs[at];
      }
    }
    for (int row = request.firstRow; row < request.endRow; ++row) {
      for (int column = 0; column < request.endRow; ++column) {
        const auto at = static_cast<std::size_t>(row) * cells + static_cast<std::size_t>(column);
        const float value = cell(band, head, row, column);
        ASSERT_EQ(std::isnan(value), pairs[at] == 0) << "row " << row << ", column " << column;
        if (pairs[at] == 0) continue;
        EXPECT_NEAR(static_cast<double>(value),
                    request.reducer == Reducer::Max ? most[at] : sum[at] / pairs[at], kTinyFloat32)
            << "head " << head << ", row " << row << ", column " << column;
      }
    }
  }
}

TEST(HeadMosaic, IsTheDenseSoftmaxAlsoWhereTheTextEndsWithinACell) {
  const Reading reading(200);  // 12 cells of 16 and a half
  for (const Reducer reducer : {Reducer::Max, Reducer::Mean}) {
    expectDense(reading, {.layer = 2, .tokensPerCell = 16, .endRow = 13, .reducer = reducer});
    expectDense(
        reading,
        {.layer = 0, .tokensPerCell = 16, .firstRow = 12, .endRow = 13, .reducer = reducer});
    expectDense(reading, {.layer = 1, .tokensPerCell = 256, .endRow = 1, .reducer = reducer});
  }
}

TEST(HeadMosaic, LeavesIgnoredKeysOutOfEveryCell) {
  const Reading reading(200);
  for (const std::int64_t ignored : {1, 4, 16, 21, 199, 200, 5000}) {
    expectDense(reading, {.layer = 1, .tokensPerCell = 16, .endRow = 13, .ignoredTokens = ignored});
    expectDense(reading, {.layer = 1,
                          .tokensPerCell = 16,
                          .firstRow = 1,
                          .endRow = 4,
                          .ignoredTokens = ignored,
                          .reducer = Reducer::Mean});
  }
}

TEST(HeadMosaic, MaxKeepsTheStrongestTokenPairOfAnyCell) {
  const Reading reading(192);
  const MosaicBand fine = draw(*reading.session, {.layer = 1, .tokensPerCell = 1, .endRow = 192});
  const MosaicBand coarse = draw(*reading.session, {.layer = 1, .tokensPerCell = 64, .endRow = 3});
  for (int head = 0; head < 4; ++head) {
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column <= row; ++column) {
        float most = 0.0F;
        for (int q = row * 64; q < row * 64 + 64; ++q) {
          for (int k = column * 64; k < column * 64 + 64 && k <= q; ++k) {
            most = std::max(most, cell(fine, head, q, k));
          }
        }
        EXPECT_NEAR(cell(coarse, head, row, column), most, kOtherBlocks);
      }
    }
  }
}

TEST(HeadMosaic, SaysWhatTokensItIsOf) {
  const Reading reading(100, {1});
  const MosaicBand band = draw(*reading.session, {.layer = 1, .tokensPerCell = 16, .endRow = 7});
  EXPECT_EQ(band.endQuery, 100);
  EXPECT_EQ(band.tokens, reading.ids);
}

TEST(HeadMosaic, RefusesWhatItCannotDraw) {
  const Reading reading(100, {1});
  const auto refused = [&](const MosaicRequest& request, const std::vector<std::string>& parts) {
    expectError(drawMosaicBand(*reading.session, request, {}), ErrorCode::InvalidArgument, parts);
  };
  refused({.layer = 0, .tokensPerCell = 10, .endRow = 10}, {"layer 0", "not captured"});
  refused({.layer = 3, .tokensPerCell = 10, .endRow = 10}, {"layer 3", "0 to 2"});
  refused({.layer = 1, .tokensPerCell = 10, .endRow = 11}, {"0:11", "10 tokens each", "100"});
  refused({.layer = 1, .tokensPerCell = 10, .firstRow = 2, .endRow = 2}, {"2:2"});
  refused({.layer = 1, .tokensPerCell = 0, .endRow = 2}, {"0 tokens each"});
}

TEST(HeadMosaic, CanBeCancelled) {
  const Reading reading(100, {1});
  std::stop_source source;
  source.request_stop();
  JobControl job;
  job.stop = source.get_token();
  expectError(
      drawMosaicBand(*reading.session, {.layer = 1, .tokensPerCell = 10, .endRow = 10}, job),
      ErrorCode::Cancelled, {"stopped"});
}

}  // namespace
}  // namespace ropescope
