#include "ui/viewmodels/token_weights.h"

#include <QTest>
#include <map>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "ui/panels/attention_panel.h"

namespace ropescope::ui {
namespace {

using Part = TokenWeights::Part;

// Weights that name their cell: query / 1000 + key / 1e6, 0.5 for query 600 and key 300.
float weightOf(std::int64_t query, std::int64_t key) {
  if (query == 600 && key == 300) return 0.5F;
  return static_cast<float>(query) / 1e3F + static_cast<float>(key) / 1e6F;
}

struct TokenWeightsTest : ::testing::Test {
  AttentionViewModel map;
  TokenWeights weights{map};
  std::map<Part, std::vector<MapRequest>> asked;

  TokenWeightsTest() {
    map.setModelShape(2, 3);
    map.setPixels({200, 100});
    map.setIgnoredTokens(4);
    map.startSession(1000);
    map.advanceTo(1000);
    weights.setSource([this](Part part, const MapRequest& request,
                             const AttentionViewModel::Deliver& deliver) {
      asked[part].push_back(request);
      AttentionMap answer{request, {}};
      for (int row = 0; row < request.height; ++row) {
        for (int column = 0; column < request.width; ++column) {
          float top = 0.0F;
          for (auto q = rowBegin(request, row); q < rowBegin(request, row + 1); ++q) {
            for (auto k = columnBegin(request, column); k < columnBegin(request, column + 1); ++k) {
              top = std::max(top, weightOf(q, k));
            }
          }
          answer.values.push_back(top);
        }
      }
      deliver(answer);
    });
  }
  bool waitForWeight() {
    return waitUntil([this] { return weights.weight().has_value(); });
  }
};

TEST_F(TokenWeightsTest, AsksForOneRowOneColumnAndTheirCell) {
  weights.point(600, 300);
  ASSERT_TRUE(waitForWeight());
  const MapRequest& row = asked[Part::Row].back();
  EXPECT_EQ(row.queries, (TokenRange{600, 601}));
  EXPECT_EQ(row.keys, (TokenRange{4, 1000}));
  EXPECT_LE(row.width, 200);
  const MapRequest& column = asked[Part::Column].back();
  EXPECT_EQ(column.keys, (TokenRange{300, 301}));
  EXPECT_EQ(column.queries, (TokenRange{0, 1000}));
  EXPECT_LE(column.height, 100);
  EXPECT_EQ(*weights.weight(), 0.5);  // of the two tokens, though a cell holds many
  EXPECT_TRUE(weights.text().contains(QStringLiteral("exactly")));
}

TEST_F(TokenWeightsTest, TheTableHoldsBothStrips) {
  weights.pin(600, 300);
  ASSERT_TRUE(waitForWeight());
  PlotTable table;
  table.columns.push_back({.title = "before", .numbers = {1.0, 2.0}});
  appendStrips(table, weights);
  ASSERT_EQ(table.columns.size(), 5U);
  EXPECT_EQ(table.columns[2].title, QStringLiteral("weight, query 600"));
  EXPECT_EQ(table.columns[4].title, QStringLiteral("weight, key 300"));
  const auto keys = static_cast<std::size_t>(weights.row().weights.size());
  const auto queries = static_cast<std::size_t>(weights.column().weights.size());
  for (const TableColumn& column : table.columns) {
    EXPECT_EQ(column.numbers.size(), std::max(keys, queries)) << qPrintable(column.title);
  }
  EXPECT_TRUE(table.cell(2, 0).isEmpty()) << "shorter columns end in empty cells";
  for (std::size_t i = 0; i < keys; ++i) {
    const MapRequest& row = asked[Part::Row].back();
    const auto begin = columnBegin(row, static_cast<int>(i));
    const auto last = columnBegin(row, static_cast<int>(i) + 1) - 1;
    EXPECT_EQ(table.columns[1].numbers[i], static_cast<double>(begin + last) / 2);
    EXPECT_EQ(table.columns[2].numbers[i], weights.row().weights[static_cast<qsizetype>(i)]);
  }
  for (std::size_t i = 0; i < queries; ++i) {
    EXPECT_EQ(table.columns[4].numbers[i], weights.column().weights[static_cast<qsizetype>(i)]);
  }
}

TEST_F(TokenWeightsTest, ASingleTokenStaysVisibleInARow) {
  weights.point(600, 10);
  ASSERT_TRUE(waitForWeight());
  EXPECT_EQ(*std::max_element(weights.row().weights.begin(), weights.row().weights.end()),
            double(weightOf(600, 999)));
  weights.point(600, 300);
  ASSERT_TRUE(waitForWeight());
  EXPECT_TRUE(weights.column().weights.contains(0.5) ||
              *std::max_element(weights.column().weights.begin(), weights.column().weights.end()) >=
                  0.5);
}

TEST_F(TokenWeightsTest, APinnedPairStays) {
  weights.pin(600, 300);
  ASSERT_TRUE(waitForWeight());
  weights.point(10, 5);
  weights.leave();
  EXPECT_EQ(weights.query(), 600);
  weights.unpin();
  weights.point(10, 5);
  EXPECT_EQ(weights.query(), 10);
}

TEST_F(TokenWeightsTest, WithoutAPointerTheLastRowStands) {
  const auto source = [](const MapRequest& request, const AttentionViewModel::Deliver& deliver) {
    const auto cells = static_cast<std::size_t>(request.width * request.height);
    deliver(AttentionMap{request, std::vector<float>(cells, 0.25F)});
  };
  map.setSource(source);
  map.setHead(1);  // asks for a tile
  ASSERT_TRUE(waitUntil([this] { return weights.isSet(); }));
  EXPECT_TRUE(weights.isAtRest());
  EXPECT_EQ(weights.query(), 999);
  weights.point(600, 300);
  EXPECT_FALSE(weights.isAtRest());
  weights.leave();
  EXPECT_EQ(weights.query(), 999);
  EXPECT_EQ(weights.key(), 500);
  map.advanceTo(1200);
  ASSERT_TRUE(waitUntil([this] { return weights.query() == 1199; }));
}

TEST_F(TokenWeightsTest, ANewSessionForgetsThePair) {
  weights.pin(600, 300);
  ASSERT_TRUE(waitForWeight());
  map.startSession(50);
  EXPECT_FALSE(weights.isSet());
  EXPECT_FALSE(weights.isPinned());
}

TEST_F(TokenWeightsTest, AnotherHeadIsAskedAgain) {
  weights.pin(600, 300);
  ASSERT_TRUE(waitForWeight());
  map.setHead(2);
  ASSERT_TRUE(waitUntil([this] { return asked[Part::Cell].back().head == 2; }));
  EXPECT_EQ(asked[Part::Row].back().head, 2);
}

// In the window, on a real engine: the cell's weight is the map's own, and sentences have rows.
TEST(TokenWeightsLive, EqualsTheMapAndKnowsSentences) {
  LiveApp live;
  ASSERT_NO_FATAL_FAILURE(live.load());
  ASSERT_NO_FATAL_FAILURE(live.open(8));
  AttentionPanel panel(live.app, live.runner);
  panel.resize(700, 500);
  panel.show();
  live.app.readDocument();
  ASSERT_NO_FATAL_FAILURE(live.idle());
  const std::int64_t tokens = live.app.document()->tokens();
  panel.model().setIgnoredTokens(0);
  ASSERT_TRUE(waitUntil([&] {
    return panel.model().tile() && panel.model().tile()->request.keys == (TokenRange{0, tokens});
  }));
  const AttentionMap whole = *panel.model().tile();
  ASSERT_EQ(whole.request.width, tokens) << "a cell a token, or this test compares pooled values";
  panel.weights().pin(tokens - 1, 3);
  ASSERT_TRUE(waitUntil([&] { return panel.weights().weight().has_value(); }));
  const auto at = static_cast<std::size_t>((tokens - 1) * tokens + 3);
  const auto drawn = static_cast<double>(whole.values[at]);
  // One row alone is multiplied in another order than a tile of them: float32 rounding of the
  // score.
  EXPECT_NEAR(*panel.weights().weight(), drawn, 1e-4 * drawn);

  panel.model().setGranularity(Granularity::Sentence);
  ASSERT_TRUE(waitUntil([&] {
    return panel.model().tile() && panel.model().tile()->request.queryBorders != nullptr;
  }));
  EXPECT_EQ(panel.model().units(), 8);
  EXPECT_EQ(panel.model().tile()->request.height, 8);
  EXPECT_TRUE(panel.model().describe(0.5, 6.5).contains(QStringLiteral("Lily")));
  EXPECT_TRUE(live.errors.isEmpty()) << qPrintable(live.errors.join("; "));
}

}  // namespace
}  // namespace ropescope::ui
