#include "ui/viewmodels/attention_view_model.h"

#include <QSignalSpy>
#include <QTest>
#include <vector>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

constexpr int kPatience = 3000;  // ms until a signal must have come

AttentionMap constant(const MapRequest& request, float value) {
  const auto cells =
      static_cast<std::size_t>(request.width) * static_cast<std::size_t>(request.height);
  return {request, std::vector<float>(cells, value)};
}

// A source that keeps what it is asked; `answer` delivers.
struct AttentionModelTest : ::testing::Test {
  struct Asked {
    MapRequest request;
    AttentionViewModel::Deliver deliver;
    void answer(float value) const { deliver(constant(request, value)); }
  };
  std::vector<Asked> asked;
  AttentionViewModel model;

  AttentionModelTest() {
    model.setSource([this](const MapRequest& request, const AttentionViewModel::Deliver& deliver) {
      asked.push_back({request, deliver});
    });
    model.setModelShape(2, 3);
    model.setPixels({200, 100});
    model.startSession(1000);
  }
  bool waitForRequests(std::size_t count) {
    return QTest::qWaitFor([&] { return asked.size() >= count; }, kPatience);
  }
};

TEST_F(AttentionModelTest, AsksForNothingBeforeTheFirstToken) {
  QTest::qWait(100);
  EXPECT_TRUE(asked.empty());
  EXPECT_FALSE(model.message().isEmpty());
}

TEST_F(AttentionModelTest, AsksForATileOfAtMostThePixels) {
  model.advanceTo(1000);
  ASSERT_TRUE(waitForRequests(1));
  EXPECT_LE(asked[0].request.width, 200);
  EXPECT_LE(asked[0].request.height, 100);
  EXPECT_EQ(asked[0].request.queries, (TokenRange{0, 1000}));
  EXPECT_EQ(asked[0].request.reducer, Reducer::Max);
}

TEST_F(AttentionModelTest, LeavesIgnoredKeysOutOfTheRequest) {
  model.setIgnoredTokens(16);
  model.advanceTo(1000);
  ASSERT_TRUE(waitForRequests(1));
  EXPECT_EQ(asked[0].request.keys.begin, 16);
}

TEST_F(AttentionModelTest, ZoomAsksForAFinerTile) {
  model.advanceTo(1000);
  ASSERT_TRUE(waitForRequests(1));
  asked[0].answer(0.5F);
  model.setView({{400, 500}, {500, 600}});
  ASSERT_TRUE(waitForRequests(2));
  const MapRequest& fine = asked[1].request;
  EXPECT_EQ(fine.keys, (TokenRange{400, 500}));
  EXPECT_EQ(fine.width, 100);
  EXPECT_LE(fine.height, 100);
}

TEST_F(AttentionModelTest, KeepsTheOldTileUntilTheNewOneArrives) {
  model.advanceTo(1000);
  ASSERT_TRUE(waitForRequests(1));
  asked[0].answer(0.5F);
  const auto old = model.tile();
  model.setHead(2);
  ASSERT_TRUE(waitForRequests(2));
  EXPECT_EQ(model.tile(), old);
  asked[1].answer(0.25F);
  EXPECT_EQ(model.tile()->request.head, 2);
}

TEST_F(AttentionModelTest, DropsALateTile) {
  model.advanceTo(1000);
  ASSERT_TRUE(waitForRequests(1));
  model.setHead(1);
  ASSERT_TRUE(waitForRequests(2));
  asked[1].answer(0.25F);
  asked[0].answer(0.5F);
  EXPECT_EQ(model.tile()->request.head, 1);
}

TEST_F(AttentionModelTest, ShowsATileAgainWithoutAsking) {
  model.advanceTo(1000);
  ASSERT_TRUE(waitForRequests(1));
  asked[0].answer(0.5F);
  model.setHead(1);
  ASSERT_TRUE(waitForRequests(2));
  asked[1].answer(0.25F);
  QSignalSpy shown(&model, &AttentionViewModel::tileChanged);
  model.setHead(0);
  ASSERT_TRUE(shown.wait(kPatience));
  EXPECT_EQ(model.tile()->request.head, 0);
  EXPECT_EQ(asked.size(), 2U);
}

TEST_F(AttentionModelTest, ANewSessionForgetsEveryTile) {
  model.advanceTo(1000);
  ASSERT_TRUE(waitForRequests(1));
  const auto late = asked[0];
  model.startSession(1000);
  late.answer(0.5F);
  EXPECT_EQ(model.tile(), nullptr);
  model.advanceTo(1000);
  ASSERT_TRUE(waitForRequests(2));
}

TEST_F(AttentionModelTest, GrowsWhileTheModelReads) {
  model.advanceTo(100);
  ASSERT_TRUE(waitForRequests(1));
  asked[0].answer(0.5F);
  for (int tokens = 110; tokens <= 400; tokens += 10) model.advanceTo(tokens);
  ASSERT_TRUE(waitForRequests(2));
  EXPECT_EQ(asked[1].request.queries.end, 400);
  EXPECT_EQ(asked.size(), 2U);  // thirty chunks cost one tile
}

TEST_F(AttentionModelTest, ALockedRangeStays) {
  model.advanceTo(1000);
  ASSERT_TRUE(waitForRequests(1));
  asked[0].answer(0.5F);
  const ValueRange before = model.valueRange();
  model.setRangeLocked(true);
  model.setHead(1);
  ASSERT_TRUE(waitForRequests(2));
  asked[1].answer(0.001F);
  EXPECT_EQ(model.valueRange(), before);
  model.setRangeLocked(false);
  EXPECT_NE(model.valueRange(), before);
}

TEST_F(AttentionModelTest, ShowsAnErrorInsteadOfAnOldPicture) {
  model.advanceTo(1000);
  ASSERT_TRUE(waitForRequests(1));
  asked[0].deliver(Error{ErrorCode::InvalidArgument, "layer 0 was not captured"});
  EXPECT_EQ(model.tile(), nullptr);
  EXPECT_EQ(model.message(), QStringLiteral("layer 0 was not captured"));
}

TEST_F(AttentionModelTest, StepsOverTheBordersOfLayers) {
  model.stepHead(-1);
  EXPECT_EQ(model.layer(), 1);
  EXPECT_EQ(model.head(), 2);
  model.stepHead(1);
  EXPECT_EQ(model.layer(), 0);
  EXPECT_EQ(model.head(), 0);
}

TEST_F(AttentionModelTest, KeepsTheViewOnTheMap) {
  model.setView({{-500, 200}, {900, 1200}});
  EXPECT_EQ(model.view().keys, (ViewRange{0, 700}));
  EXPECT_EQ(model.view().queries, (ViewRange{700, 1000}));
  model.resetView();
  EXPECT_EQ(model.view(), model.home());
}

// Segments of 100 tokens each, named by their number.
TextSegments tenSegments(Granularity granularity) {
  TextSegments segments;
  if (granularity == Granularity::Token) return segments;
  for (std::int64_t i = 0; i <= 10; ++i) segments.borders.push_back(100 * i);
  for (int i = 0; i < 10; ++i) segments.texts << QStringLiteral("sentence %1").arg(i);
  return segments;
}

TEST_F(AttentionModelTest, SentencesAreRowsAndColumns) {
  model.setSegmentSource(tenSegments);
  model.setIgnoredTokens(4);
  model.advanceTo(1000);
  model.setGranularity(Granularity::Sentence);
  ASSERT_TRUE(waitForRequests(1));
  const MapRequest& all = asked.back().request;
  EXPECT_EQ(all.queries, (TokenRange{0, 10}));
  EXPECT_EQ(all.keys, (TokenRange{0, 10}));
  EXPECT_EQ(all.width, 10);
  EXPECT_EQ(queryTokens(all), (TokenRange{0, 1000}));
  EXPECT_EQ(keyTokens(all), (TokenRange{4, 1000}));  // the first sentence without the sink
  EXPECT_EQ(model.home().keys, (ViewRange{0, 10}));
  asked.back().answer(0.5F);
  const QString text = model.describe(2.5, 7.5);
  EXPECT_TRUE(text.contains(QStringLiteral("sentence 7"))) << qPrintable(text);
  EXPECT_TRUE(text.contains(QStringLiteral("sentence 2"))) << qPrintable(text);
  EXPECT_TRUE(text.contains(QStringLiteral("tokens 700 to 799"))) << qPrintable(text);
}

TEST_F(AttentionModelTest, SentencesAppearWhenTheyAreReadWholly) {
  model.setSegmentSource(tenSegments);
  model.setGranularity(Granularity::Sentence);
  model.advanceTo(250);
  EXPECT_EQ(model.units(), 2);
  model.advanceTo(1000);
  EXPECT_EQ(model.units(), 10);
  model.advanceTo(1040);  // a question and its answer
  EXPECT_EQ(model.units(), 11);
  model.setGranularity(Granularity::Token);
  EXPECT_EQ(model.units(), 1040);
}

TEST_F(AttentionModelTest, IgnoredTokensMayHideWholeSentences) {
  model.setSegmentSource(tenSegments);
  model.setGranularity(Granularity::Sentence);
  model.advanceTo(1000);
  model.setIgnoredTokens(230);
  EXPECT_EQ(model.firstKey(), 2);
  ASSERT_TRUE(waitForRequests(1));
  EXPECT_EQ(keyTokens(asked.back().request), (TokenRange{230, 1000}));
}

TEST_F(AttentionModelTest, NamesTheTwoTokensAndTheWeight) {
  model.setTokenText([](std::int64_t position) {
    return position == 7 ? QStringLiteral("cat") : QStringLiteral("dog");
  });
  model.setPixels({2000, 2000});
  model.advanceTo(1000);
  ASSERT_TRUE(waitForRequests(1));
  asked[0].answer(0.5F);
  const QString text = model.describe(7.5, 9.5);
  EXPECT_TRUE(text.contains(QStringLiteral("7 “cat”"))) << text.toStdString();
  EXPECT_TRUE(text.contains(QStringLiteral("9 “dog”")));
  EXPECT_TRUE(text.contains(QStringLiteral("0.5")));
  EXPECT_TRUE(model.describe(-1, 3).isEmpty());
}

}  // namespace
}  // namespace ropescope::ui
