#include "ui/viewmodels/head_mosaic_view_model.h"

#include <QSignalSpy>
#include <QTest>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

constexpr int kPatience = 3000;  // ms until something must have come
constexpr int kQuiet = 500;      // ms in which nothing may come

// A source that keeps what it is asked; `answer` delivers bands of one value.
struct HeadMosaicModelTest : ::testing::Test {
  struct Asked {
    MosaicRequest request;
    HeadMosaicViewModel::Deliver deliver;
  };
  std::vector<Asked> asked;
  HeadMosaicViewModel model;
  static constexpr int kHeads = 3;

  HeadMosaicModelTest() {
    model.setSource(
        [this](const MosaicRequest& request, const HeadMosaicViewModel::Deliver& deliver) {
          asked.push_back({request, deliver});
        });
    model.setModelShape(2, kHeads);
    model.setPixels({150, 100});  // 50 px a head: 48 cells
    model.setShown(true);
    model.startSession(960, {0, 1});  // 20 tokens a cell
  }
  bool waitForRequests(std::size_t count) {
    return QTest::qWaitFor([&] { return asked.size() >= count; }, kPatience);
  }
  // As the core would when the session holds `tokens`.
  void answer(std::size_t index, float value, std::int64_t tokens) {
    const MosaicRequest r = asked[index].request;
    const int cells = kHeads * (r.endRow - r.firstRow) * r.endRow;
    asked[index].deliver(
        MosaicBand{.request = r,
                   .heads = kHeads,
                   .endQuery = std::min(r.endRow * r.tokensPerCell, tokens),
                   .tokens = {},
                   .values = std::vector<float>(static_cast<std::size_t>(cells), value)});
  }
  // Answers everything until nothing more is asked.
  void answerAll(std::int64_t tokens) {
    for (std::size_t i = 0; waitForRequestsSoon(i + 1); ++i) answer(i, 0.5F, tokens);
  }
  bool waitForRequestsSoon(std::size_t count) {
    return QTest::qWaitFor([&] { return asked.size() >= count; }, kQuiet);
  }
};

TEST_F(HeadMosaicModelTest, AsksForNothingBeforeTheFirstTokenOrWhileHidden) {
  QTest::qWait(kQuiet);
  EXPECT_TRUE(asked.empty());
  EXPECT_FALSE(model.message().isEmpty());
  model.setShown(false);
  model.advanceTo(960);
  QTest::qWait(kQuiet);
  EXPECT_TRUE(asked.empty());
  model.setShown(true);
  EXPECT_TRUE(waitForRequests(1));
}

TEST_F(HeadMosaicModelTest, TheGridFitsThePixelsAndTheExpectedText) {
  EXPECT_EQ(model.grid(), (MosaicGrid{20, 48}));
  model.setPixels({120, 100});  // 40 px: 32 cells and a gap
  EXPECT_EQ(model.grid(), (MosaicGrid{30, 32}));
}

TEST_F(HeadMosaicModelTest, FillsLayerAfterLayerAndEndsComplete) {
  model.advanceTo(950);  // the last row holds 10 tokens
  answerAll(950);
  EXPECT_TRUE(model.isComplete());
  std::vector<std::vector<int>> rows(2, std::vector<int>(48, 0));
  for (const Asked& one : asked) {
    EXPECT_EQ(one.request.tokensPerCell, 20);
    EXPECT_EQ(one.request.ignoredTokens, 4);
    for (int row = one.request.firstRow; row < one.request.endRow; ++row) {
      ++rows[static_cast<std::size_t>(one.request.layer)][static_cast<std::size_t>(row)];
    }
  }
  EXPECT_EQ(rows[0], std::vector<int>(48, 1));  // nothing is computed twice
  EXPECT_EQ(rows[1], std::vector<int>(48, 1));
  EXPECT_TRUE(model.lengthText().contains(QStringLiteral("6 heads")));
  EXPECT_FALSE(model.lengthText().contains(u'%'));
}

TEST_F(HeadMosaicModelTest, GrowthCostsOnlyTheNewRows) {
  model.advanceTo(400);
  answerAll(400);
  const std::size_t before = asked.size();
  model.advanceTo(960);
  for (std::size_t i = before; waitForRequestsSoon(i + 1); ++i) answer(i, 0.25F, 960);
  for (std::size_t i = before; i < asked.size(); ++i) EXPECT_GE(asked[i].request.firstRow, 20);
  EXPECT_TRUE(model.isComplete());
  EXPECT_EQ(model.picture({0, 0})[0], 0.5F);
  EXPECT_EQ(model.picture({0, 0})[47 * 48], 0.25F);
}

TEST_F(HeadMosaicModelTest, ManyAdvancesCostFewPictures) {
  QSignalSpy shown(&model, &HeadMosaicViewModel::pictureChanged);
  model.advanceTo(20);
  ASSERT_TRUE(waitForRequests(1));
  for (std::int64_t tokens = 40; tokens <= 400; tokens += 20) {
    model.advanceTo(tokens);
    answer(asked.size() - 1, 0.5F, tokens);
    QTest::qWait(20);
  }
  EXPECT_LE(shown.size(), 10);  // some 400 ms, at most every 220 ms, and a few for settings
}

TEST_F(HeadMosaicModelTest, LeavesOutLayersThatWereNotCapturedAndSaysSo) {
  model.startSession(960, {1});
  model.advanceTo(960);
  answerAll(960);
  for (const Asked& one : asked) EXPECT_EQ(one.request.layer, 1);
  EXPECT_TRUE(model.isComplete());
  EXPECT_FALSE(model.isCaptured(0));
  EXPECT_TRUE(model.gapsText().contains(QStringLiteral("1 of 2 layers")));
  EXPECT_TRUE(model.describe({0, 2}).contains(QStringLiteral("not kept")));
}

TEST_F(HeadMosaicModelTest, ANewSessionForgetsEverythingAndDropsLateBands) {
  model.advanceTo(960);
  ASSERT_TRUE(waitForRequests(1));
  model.startSession(960, {0, 1});
  answer(0, 0.5F, 960);
  EXPECT_EQ(model.drawnTokens(0), 0);
  EXPECT_TRUE(std::isnan(model.picture({0, 0})[0]));
}

TEST_F(HeadMosaicModelTest, ARewindForgetsOnlyWhatFollowed) {
  model.advanceTo(960);
  answerAll(960);
  model.advanceTo(500);
  EXPECT_EQ(model.drawnTokens(0), 500);
  EXPECT_EQ(model.picture({1, 2})[24 * 48], 0.5F);
  EXPECT_TRUE(std::isnan(model.picture({1, 2})[25 * 48]));
}

TEST_F(HeadMosaicModelTest, RowsOfTokensThatWereReplacedUnseenAreDrawnAgain) {
  std::vector<std::int32_t> ids(400, 7);
  const auto bandOf = [&](std::size_t index, float value) {
    const MosaicRequest r = asked[index].request;
    const std::int64_t end =
        std::min<std::int64_t>(r.endRow * r.tokensPerCell, static_cast<std::int64_t>(ids.size()));
    asked[index].deliver(MosaicBand{
        .request = r,
        .heads = kHeads,
        .endQuery = end,
        .tokens = {ids.begin(), ids.begin() + end},
        .values = std::vector<float>(
            static_cast<std::size_t>(kHeads * (r.endRow - r.firstRow) * r.endRow), value)});
  };
  model.advanceTo(400);
  for (std::size_t i = 0; waitForRequestsSoon(i + 1); ++i) bandOf(i, 0.5F);
  ASSERT_TRUE(model.isComplete());
  // A shorter question and a longer answer: the position only ever seemed to grow.
  ids.resize(440, 7);
  ids[300] = 8;
  const std::size_t before = asked.size();
  model.advanceTo(440);
  for (std::size_t i = before; waitForRequestsSoon(i + 1); ++i) bandOf(i, 0.25F);
  EXPECT_TRUE(model.isComplete());
  for (int layer = 0; layer < 2; ++layer) {
    EXPECT_EQ(model.picture({layer, 0})[14 * 48], 0.5F);   // tokens 280 … 299
    EXPECT_EQ(model.picture({layer, 0})[15 * 48], 0.25F);  // token 300 is another one
  }
}

TEST_F(HeadMosaicModelTest, ALongerTextThanExpectedGetsACoarserGrid) {
  model.advanceTo(2000);
  EXPECT_GE(model.grid().cells * model.grid().tokensPerCell, 2000);
  EXPECT_LE(model.grid().cells, 48);
}

TEST_F(HeadMosaicModelTest, NamesTheStrongestCell) {
  model.advanceTo(960);
  ASSERT_TRUE(waitForRequests(1));
  MosaicRequest r = asked[0].request;
  const int width = r.endRow;
  std::vector<float> values(static_cast<std::size_t>(kHeads * (r.endRow - r.firstRow) * width),
                            0.01F);
  values[static_cast<std::size_t>((r.endRow - r.firstRow) * width + 5 * width + 3)] = 0.75F;
  asked[0].deliver(MosaicBand{.request = r,
                              .heads = kHeads,
                              .endQuery = r.endRow * r.tokensPerCell,
                              .tokens = {},
                              .values = values});
  const auto cell = model.strongest({0, 1});
  ASSERT_TRUE(cell);
  EXPECT_EQ(cell->weight, 0.75F);
  EXPECT_EQ(cell->queries, (TokenRange{100, 120}));
  EXPECT_EQ(cell->keys, (TokenRange{60, 80}));
  EXPECT_FALSE(model.strongest({1, 0}));
  EXPECT_TRUE(model.describe({0, 1}).contains(QStringLiteral("0.75")));
}

TEST_F(HeadMosaicModelTest, SettingsDrawEverythingAgainAndALockedRangeStays) {
  model.advanceTo(960);
  answerAll(960);
  const ValueRange before = model.valueRange();
  model.setRangeLocked(true);
  asked.clear();
  model.setReducer(Reducer::Mean);
  model.setIgnoredTokens(16);
  answerAll(960);
  ASSERT_FALSE(asked.empty());
  EXPECT_EQ(asked.back().request.reducer, Reducer::Mean);
  EXPECT_EQ(asked.back().request.ignoredTokens, 16);
  EXPECT_EQ(model.valueRange(), before);
}

TEST_F(HeadMosaicModelTest, TheRangeIsHeldOverAFlipAndNotLonger) {
  model.setRangeHeld(true);  // nothing is drawn yet: nothing to hold
  model.advanceTo(960);
  answerAll(960);
  const ValueRange before = model.valueRange();
  EXPECT_NE(before, ValueRange({1e-6, 1.0}));
  model.setRangeHeld(true);
  model.startSession(960, {0, 1});
  QTest::qWait(kQuiet);
  EXPECT_EQ(model.valueRange(), before);
  model.setRangeHeld(false);
  model.startSession(960, {0, 1});
  QTest::qWait(kQuiet);
  EXPECT_NE(model.valueRange(), before);
}

TEST_F(HeadMosaicModelTest, ShowsAnErrorAndAsksNoMore) {
  model.advanceTo(960);
  ASSERT_TRUE(waitForRequests(1));
  asked[0].deliver(Error{ErrorCode::OutOfMemory, "not enough device memory"});
  EXPECT_EQ(model.message(), QStringLiteral("not enough device memory"));
  QTest::qWait(kQuiet);
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(HeadMosaicModelTest, AsksAgainAfterACancelledBand) {
  model.advanceTo(960);
  ASSERT_TRUE(waitForRequests(1));
  asked[0].deliver(Error{ErrorCode::Cancelled, "stopped"});
  EXPECT_TRUE(waitForRequests(2));
}

}  // namespace
}  // namespace ropescope::ui
