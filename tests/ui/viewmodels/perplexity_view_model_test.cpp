#include "ui/viewmodels/perplexity_view_model.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

PerplexityCurve curveOf(const char* method, std::vector<PerplexityPoint> points) {
  PerplexityCurve curve;
  curve.settings.label = method;
  curve.settings.rope.id = method;
  curve.points = std::move(points);
  return curve;
}

// A starter that keeps the order; the test plays the engine.
struct PerplexityModelTest : ::testing::Test {
  PerplexityOrder order;
  PerplexityViewModel::Sinks engine;
  int stops = 0;
  PerplexityViewModel model;

  PerplexityModelTest() {
    model.setStarter(
        [this](const PerplexityOrder& wanted, PerplexityViewModel::Sinks sinks) {
          order = wanted;
          engine = std::move(sinks);
        },
        [this] { ++stops; });
    model.setModel(1024, true);
    model.setDocument(std::vector<std::int32_t>(4000, 7), QStringLiteral("book.txt"));
  }
};

TEST(PerplexityDefaults, UpdateAtLeastTenTimesDuringSixteenThousandTokens) {
  const auto lengths = defaultLengths(16'384);
  constexpr std::int64_t kChunk = 512;  // lengths within one chunk arrive together
  std::set<std::int64_t> chunks;
  for (const std::int64_t length : lengths) chunks.insert((length + kChunk - 1) / kChunk);
  EXPECT_GE(chunks.size(), 15U);
  EXPECT_EQ(lengths.back(), 16'384);
  EXPECT_TRUE(std::is_sorted(lengths.begin(), lengths.end()));
  for (const std::int64_t power : {1024, 2048, 4096, 8192}) {
    EXPECT_TRUE(std::binary_search(lengths.begin(), lengths.end(), power));
  }
}

TEST(PerplexityDefaults, EndWithTheDocument) {
  EXPECT_EQ(defaultLengths(3500).back(), 3500);
  EXPECT_EQ(defaultLengths(100), (std::vector<std::int64_t>{100}));
  EXPECT_TRUE(defaultLengths(0).empty());
}

TEST(PerplexityDefaults, NameTheFactorOfTheSession) {
  EXPECT_EQ(defaultCurves(4.0), QStringLiteral("none;pi:factor=4;yarn:factor=4"));
  EXPECT_EQ(defaultCurves(1.0), QStringLiteral("none"));
}

TEST(ParseLengths, NamesTheWordThatIsNone) {
  EXPECT_EQ(*parseLengths(QStringLiteral("512, 1024;2048")),
            (std::vector<std::int64_t>{512, 1024, 2048}));
  EXPECT_EQ(*parseLengths(QStringLiteral("2048, 512 1024, 512")),
            (std::vector<std::int64_t>{512, 1024, 2048}));
  const auto wrong = parseLengths(QStringLiteral("512, 4k"));
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("'4k'"), std::string::npos);
}

TEST_F(PerplexityModelTest, OrdersWhatTheFieldsSay) {
  model.editCurves(QStringLiteral("none; yarn:factor=4"));
  model.editLengths(QStringLiteral("512, 1024"));
  model.start();
  EXPECT_EQ(order.curves, (std::vector<std::string>{"none", "yarn:factor=4"}));
  EXPECT_EQ(order.config.lengths, (std::vector<std::int64_t>{512, 1024}));
  ASSERT_EQ(order.documents.size(), 1U);
  EXPECT_EQ(order.documents[0].size(), 4000U);
  EXPECT_EQ(model.state(), PerplexityViewModel::State::Running);
}

TEST_F(PerplexityModelTest, RefusesLengthsThatAreNone) {
  model.editLengths(QStringLiteral("many"));
  model.start();
  EXPECT_EQ(model.state(), PerplexityViewModel::State::Idle);
  EXPECT_TRUE(model.hasFailed());
  EXPECT_TRUE(model.statusText().contains(QStringLiteral("many")));
}

TEST_F(PerplexityModelTest, ShowsPointsWhileRunningAndEndsWithTheLastOnes) {
  model.start();
  engine.onCurve(0, curveOf("none", {{.length = 512, .perplexity = 30.0}}));
  EXPECT_EQ(model.lines()[0].perplexities, (QVector<double>{30.0}));
  engine.onCurve(0, curveOf("none", {{.length = 512, .perplexity = 29.5},
                                     {.length = 1024, .perplexity = 28.25}}));
  engine.onDone(Done{});
  EXPECT_EQ(model.lines()[0].perplexities, (QVector<double>{29.5, 28.25}));
  EXPECT_EQ(model.state(), PerplexityViewModel::State::Idle);
  EXPECT_FALSE(model.hasFailed());
}

TEST_F(PerplexityModelTest, StopKeepsThePoints) {
  model.start();
  engine.onCurve(0, curveOf("none", {{.length = 512, .perplexity = 30.0}}));
  model.stop();
  EXPECT_EQ(stops, 1);
  engine.onDone(Error{ErrorCode::Cancelled, "stopped"});
  EXPECT_EQ(model.curves().size(), 1U);
  EXPECT_FALSE(model.hasFailed());
  EXPECT_TRUE(model.canStart());
}

TEST_F(PerplexityModelTest, SaysWhatWentWrong) {
  model.start();
  engine.onDone(Error{ErrorCode::InvalidArgument, "curve 'yran': no such method"});
  EXPECT_TRUE(model.hasFailed());
  EXPECT_EQ(model.statusText(), QStringLiteral("curve 'yran': no such method"));
}

TEST_F(PerplexityModelTest, TablesTheDrawnNumbers) {
  model.start();
  engine.onCurve(0, curveOf("none", {{.length = 512, .perplexity = 30.125},
                                     {.length = 1024, .perplexity = 28.0}}));
  engine.onCurve(1, curveOf("pi", {{.length = 512, .perplexity = 40.0, .standardError = 2.0}}));
  const PlotTable table = model.table();
  ASSERT_EQ(table.rows(), 3);
  EXPECT_EQ(table.cell(0, 2), QStringLiteral("30.125"));
  EXPECT_EQ(table.cell(0, 3), QString());  // one document has no error
  EXPECT_EQ(table.cell(2, 3), QStringLiteral("2"));
  EXPECT_FALSE(model.lines()[0].hasErrors);
  EXPECT_TRUE(model.lines()[1].hasErrors);
}

TEST_F(PerplexityModelTest, KeepsWhatTheUserWroteUntilItIsEmptied) {
  model.editCurves(QStringLiteral("ntk"));
  model.setPlannedFactor(8);
  EXPECT_EQ(model.curvesText(), QStringLiteral("ntk"));
  model.editCurves(QString());
  EXPECT_EQ(model.curvesText(), defaultCurves(8));
}

TEST_F(PerplexityModelTest, PrintsTheProtocolOfWhatIsShown) {
  EXPECT_TRUE(model.protocolText().isEmpty());
  model.start();
  engine.onCurve(0, curveOf("none", {{.length = 512, .perplexity = 30.0}}));
  EXPECT_TRUE(model.protocolText().startsWith(QStringLiteral("book.txt: ")));
}

PublishedCurve published(const char* name, std::optional<Protocol> protocol) {
  return {.name = name,
          .model = "Llama-2-7B",
          .dataset = "PG19",
          .protocol = protocol,
          .stride = 256,
          .source = "arXiv:2306.15595 Table 1",
          .note = {},
          .points = {{.length = 2048, .perplexity = 7.2},
                     {.length = 16384, .perplexity = 1000.0, .above = true}}};
}

TEST_F(PerplexityModelTest, SaysWhichPublishedCurvesHaveAnotherProtocol) {
  EXPECT_TRUE(model.publishedWarning().isEmpty());
  model.showPublished({published("truncated", Protocol::Truncate)});
  // One pass reads the same window as truncate; models and texts differ all the same.
  EXPECT_TRUE(model.publishedWarning().contains(QStringLiteral("other models")));
  EXPECT_FALSE(model.publishedWarning().contains(QStringLiteral("Another protocol")));
  model.showPublished({published("slid", Protocol::Sliding), published("unsaid", std::nullopt)});
  EXPECT_TRUE(model.publishedWarning().contains(
      QStringLiteral("Another protocol than measured here: slid, unsaid")));
  EXPECT_TRUE(model.publishedWarning().contains(QStringLiteral("stride 256")));
}

TEST_F(PerplexityModelTest, KeepsPublishedNumbersApart) {
  model.start();
  engine.onCurve(0, curveOf("none", {{.length = 512, .perplexity = 30.0}}));
  model.showPublished({published("pi-llama", Protocol::Sliding)});
  EXPECT_EQ(model.lines().size(), 1U);
  ASSERT_EQ(model.publishedLines().size(), 1U);
  const PerplexityLine line = model.publishedLines()[0];
  EXPECT_EQ(line.aboveLengths, (QVector<double>{16384}));
  EXPECT_TRUE(line.details[0].contains(QStringLiteral("arXiv:2306.15595")));
  EXPECT_EQ(model.longestLength(), 16384.0);  // the axis reaches it
  const PlotTable table = model.table();
  ASSERT_EQ(table.rows(), 3);
  EXPECT_EQ(table.cell(0, 0), QStringLiteral("none"));
  EXPECT_EQ(table.cell(1, 0), QStringLiteral("published: pi-llama"));
  EXPECT_EQ(table.cell(2, 0), QStringLiteral("published: pi-llama (above)"));
  EXPECT_EQ(table.cell(1, 6), QString());  // nobody says how many tokens
  // The wide CSV holds what was measured here.
  EXPECT_EQ(model.wideCsvText(), QStringLiteral(",512\nnone,30\n"));
}

TEST(CurveValues, LieOnTheCurveAndNowhereElse) {
  const PerplexityLine line{
      .title = {}, .lengths = {256, 1024, 4096}, .perplexities = {64.0, 16.0, 4.0}};
  EXPECT_EQ(valueAt(line, 1024)->perplexity, 16.0);
  EXPECT_TRUE(valueAt(line, 1024)->measured);
  // Halfway in the logarithm of the length, so halfway in the mean loss: sqrt(64 * 16).
  const auto between = valueAt(line, 512);
  ASSERT_TRUE(between);
  EXPECT_NEAR(between->perplexity, 32.0, 1e-12);
  EXPECT_FALSE(between->measured);
  EXPECT_FALSE(valueAt(line, 255));
  EXPECT_FALSE(valueAt(line, 4097));
  EXPECT_FALSE(valueAt({}, 1024));
}

}  // namespace
}  // namespace ropescope::ui
