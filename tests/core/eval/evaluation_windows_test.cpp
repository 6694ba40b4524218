#include "core/eval/evaluation_windows.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

constexpr double kSameSum = 1e-12;  // the same double losses, added in another order

Ids counted(std::int32_t count) {
  Ids ids(static_cast<std::size_t>(count));
  std::iota(ids.begin(), ids.end(), 100);
  return ids;
}

TEST(EvaluationWindows, AreAllThatDoNotOverlap) {
  const auto windows = evaluationWindows({{"a", counted(11)}, {"b", counted(3)}, {"c", counted(4)}},
                                         {.length = 5, .bos = 1});
  ASSERT_TRUE(windows) << windows.error().message;
  ASSERT_EQ(windows->size(), 3U);  // own tokens: 4 a window; a has 2 and 3 tokens over, b none
  EXPECT_EQ((*windows)[0].ids, (Ids{1, 100, 101, 102, 103}));
  EXPECT_EQ((*windows)[1].ids, (Ids{1, 104, 105, 106, 107}));
  EXPECT_EQ((*windows)[1].book, "a");
  EXPECT_EQ((*windows)[1].begin, 4);
  EXPECT_EQ((*windows)[2].book, "c");
}

TEST(EvaluationWindows, WithoutBosStartWithATokenOfTheBook) {
  const auto windows = evaluationWindows({{"a", counted(11)}}, {.length = 5});
  ASSERT_TRUE(windows);
  ASSERT_EQ(windows->size(), 2U);
  EXPECT_EQ((*windows)[1].ids, (Ids{105, 106, 107, 108, 109}));
}

// 10 windows, 3 wanted: floor(10/6), floor(30/6), floor(50/6) = 1, 5, 8.
TEST(EvaluationWindows, OfALongBookAreTakenEvenly) {
  const auto windows = evaluationWindows({{"a", counted(101)}}, {.length = 10, .mostPerBook = 3});
  ASSERT_TRUE(windows);
  std::vector<std::int64_t> begins;
  for (const auto& window : *windows) begins.push_back(window.begin);
  EXPECT_EQ(begins, (std::vector<std::int64_t>{10, 50, 80}));
  const auto all = evaluationWindows({{"a", counted(101)}}, {.length = 10, .mostPerBook = 99});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 10U);
  EXPECT_EQ(all->front().begin, 0);
  EXPECT_EQ(all->back().begin, 90);
}

TEST(EvaluationWindows, RefusesBooksThatAreAllTooShort) {
  expectError(evaluationWindows({{"a", counted(11)}, {"b", counted(30)}}, {.length = 40}),
              ErrorCode::InvalidArgument, {"40", "longest of 2 has 30"});
  expectError(evaluationWindows({}, {.length = 40}), ErrorCode::InvalidArgument, {"40"});
  expectError(evaluationWindows({{"a", counted(11)}}, {.length = 1}), ErrorCode::InvalidArgument,
              {"at least 2"});
}

class WindowLosses : public testing::Test {
 protected:
  WindowLosses() : engine(loadEngine(tinyPath())) {
    windows = *evaluationWindows({{"a", randomIds(128, 130, 1)}, {"b", randomIds(128, 70, 2)}},
                                 {.length = 60});
    settings = *parseCurve("yarn:factor=4", *engine);
  }
  std::vector<double> nll(const Ids& ids) const {
    auto score =
        newSession(engine, {.rope = settings.rope, .contextTokens = 60})->score(ids, {}, {});
    EXPECT_TRUE(score);
    return score->nll;
  }
  EnginePtr engine;
  std::vector<EvaluationWindow> windows;
  CurveSettings settings;
};

TEST_F(WindowLosses, AreMeansOfTheScoreByPosition) {
  const auto losses = windowLosses(*engine, settings, windows, {20, 45, 60}, {});
  ASSERT_TRUE(losses) << losses.error().message;
  ASSERT_EQ(losses->size(), 3U);
  for (std::size_t w = 0; w < 3; ++w) {
    const WindowLoss& loss = (*losses)[w];
    const auto each = nll(windows[w].ids);  // [59]; each[i] is of index i + 1
    const auto mean = [&](std::size_t from, std::size_t to) {
      return std::accumulate(each.begin() + static_cast<long>(from),
                             each.begin() + static_cast<long>(to), 0.0) /
             static_cast<double>(to - from);
    };
    EXPECT_EQ(loss.book, windows[w].book);
    EXPECT_EQ(loss.scored, 59);
    EXPECT_NEAR(loss.meanLoss, mean(0, 59), kSameSum);
    ASSERT_EQ(loss.bins.size(), 3U);
    EXPECT_EQ(loss.bins[0].scored, 19);
    EXPECT_EQ(loss.bins[1].scored, 25);
    EXPECT_EQ(loss.bins[2].scored, 15);
    EXPECT_NEAR(loss.bins[0].meanLoss, mean(0, 19), kSameSum);
    EXPECT_NEAR(loss.bins[1].meanLoss, mean(19, 44), kSameSum);
    EXPECT_NEAR(loss.bins[2].meanLoss, mean(44, 59), kSameSum);
    ASSERT_TRUE(loss.meanTo(45));
    EXPECT_NEAR(*loss.meanTo(45), mean(0, 44), kSameSum);
    EXPECT_FALSE(loss.meanTo(44));
  }
}

// Trained at 64 tokens: windows of 128 stretch by 2.
TEST_F(WindowLosses, AFactorLeftOutIsThatOfTheWindow) {
  const auto longer = *evaluationWindows({{"a", randomIds(128, 128, 3)}}, {.length = 128});
  const auto open = windowLosses(*engine, *parseCurve("pi", *engine), longer, {128}, {});
  const auto two = windowLosses(*engine, *parseCurve("pi:factor=2", *engine), longer, {128}, {});
  const auto four = windowLosses(*engine, *parseCurve("pi:factor=4", *engine), longer, {128}, {});
  ASSERT_TRUE(open && two && four);
  EXPECT_EQ((*open)[0].meanLoss, (*two)[0].meanLoss);
  EXPECT_NE((*open)[0].meanLoss, (*four)[0].meanLoss);
}

TEST_F(WindowLosses, ReportsTokensOfAllWindowsAndStops) {
  std::stop_source source;
  JobControl job;
  job.stop = source.get_token();
  Progress last;
  job.onProgress = [&](const Progress& progress) { last = progress; };
  ASSERT_TRUE(windowLosses(*engine, settings, windows, {60}, job));
  EXPECT_EQ(last.done, 180);
  EXPECT_EQ(last.total, 180);
  source.request_stop();
  expectError(windowLosses(*engine, settings, windows, {60}, job), ErrorCode::Cancelled,
              {"stopped"});
}

TEST_F(WindowLosses, RefusesBinsAndWindowsThatDoNotFit) {
  for (const std::vector<std::int64_t>& bins :
       std::vector<std::vector<std::int64_t>>{{}, {20}, {20, 20, 60}, {1, 60}, {20, 61}}) {
    expectError(windowLosses(*engine, settings, windows, bins, {}), ErrorCode::InvalidArgument,
                {"position bins", "60"});
  }
  expectError(windowLosses(*engine, settings, {}, {60}, {}), ErrorCode::InvalidArgument,
              {"no windows"});
  auto mixed = windows;
  mixed[1].ids.pop_back();
  expectError(windowLosses(*engine, settings, mixed, {60}, {}), ErrorCode::InvalidArgument,
              {"60", "59"});
}

TEST(DefaultBins, DoubleFrom1024) {
  EXPECT_EQ(defaultBinEnds(16384), (std::vector<std::int64_t>{1024, 2048, 4096, 8192, 16384}));
  EXPECT_EQ(defaultBinEnds(3000), (std::vector<std::int64_t>{1024, 2048, 3000}));
  EXPECT_EQ(defaultBinEnds(512), (std::vector<std::int64_t>{512}));
}

}  // namespace
}  // namespace ropescope
