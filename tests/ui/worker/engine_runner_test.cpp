#include "ui/worker/engine_runner.h"

#include <QElapsedTimer>
#include <QThread>
#include <atomic>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "tests/ui/wait_until.h"

namespace ropescope::ui {
namespace {

using Number = Result<int>;

// A long job that works until it is told to end or asked to stop, step by step.
struct Steady {
  std::atomic<bool> began = false;
  std::atomic<bool> end = false;

  EngineRunner::Work<int> work(int value) {
    return [this, value](EngineRoom&, const JobControl& job) -> Number {
      began = true;
      while (!end) {
        if (job.stopRequested()) return Error{ErrorCode::Cancelled, "stopped"};
        job.step();
        QThread::msleep(1);
      }
      return value;
    };
  }
};

EngineRunner::Work<int> give(int value) {
  return [value](EngineRoom&, const JobControl&) -> Number { return value; };
}

TEST(EngineRunner, WorksOnItsOwnThreadAndDeliversOnOurs) {
  EngineRunner runner;
  QObject receiver;
  QThread* workedOn = nullptr;
  QThread* deliveredOn = nullptr;
  runner.startLong<int>(
      &receiver, Lane::Answer, SameLane::Queue,
      [&](EngineRoom&, const JobControl&) -> Number {
        workedOn = QThread::currentThread();
        return 7;
      },
      [&](const Number& result) {
        ASSERT_TRUE(result);
        EXPECT_EQ(*result, 7);
        deliveredOn = QThread::currentThread();
      });
  ASSERT_TRUE(waitUntil([&] { return deliveredOn != nullptr; }));
  EXPECT_EQ(deliveredOn, QThread::currentThread());
  EXPECT_NE(workedOn, deliveredOn);
  EXPECT_FALSE(runner.isBusy());
}

// An exception must not take the window and what is open in it along.
TEST(EngineRunner, AnExceptionIsAnErrorOfItsJob) {
  EngineRunner runner;
  QObject receiver;
  std::vector<Error> errors;
  const auto start = [&](const EngineRunner::Work<int>& work) {
    runner.startLong<int>(&receiver, Lane::Answer, SameLane::Queue, work,
                          [&](const Number& result) {
                            ASSERT_FALSE(result);
                            errors.push_back(result.error());
                          });
  };
  start([](EngineRoom&, const JobControl&) -> Number { throw std::bad_alloc(); });
  start([](EngineRoom&, const JobControl&) -> Number { throw std::runtime_error("broken"); });
  ASSERT_TRUE(waitUntil([&] { return errors.size() == 2; }));
  EXPECT_EQ(errors[0].code, ErrorCode::OutOfMemory);
  EXPECT_EQ(errors[1].code, ErrorCode::Internal);
  EXPECT_NE(errors[1].message.find("broken"), std::string::npos);
}

TEST(EngineRunner, RunsLongJobsInTheOrderTheyWereStarted) {
  EngineRunner runner;
  QObject receiver;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) {
    runner.startLong<int>(&receiver, i % 2 == 0 ? Lane::Answer : Lane::Sweep, SameLane::Queue,
                          give(i), [&](const Number& result) { order.push_back(*result); });
  }
  ASSERT_TRUE(waitUntil([&] { return order.size() == 5; }));
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
}

TEST(EngineRunner, ServesViewsBetweenTheStepsOfALongJobWithoutEndingIt) {
  EngineRunner runner;
  QObject receiver;
  Steady steady;
  std::optional<int> longResult;
  runner.startLong<int>(&receiver, Lane::Answer, SameLane::Queue, steady.work(1),
                        [&](const Number& result) { longResult = *result; });
  ASSERT_TRUE(waitUntil([&] { return steady.began.load(); }));
  std::optional<int> picture;
  runner.requestView<int>("map", &receiver, give(2),
                          [&](const Number& result) { picture = *result; });
  ASSERT_TRUE(waitUntil([&] { return picture.has_value(); }));
  EXPECT_FALSE(longResult) << "the long job must still run";
  EXPECT_TRUE(runner.isRunning(Lane::Answer));
  steady.end = true;
  ASSERT_TRUE(waitUntil([&] { return longResult.has_value(); }));
  EXPECT_EQ(*longResult, 1);
}

TEST(EngineRunner, PicturesLeaveALongJobMostOfItsTime) {
  EngineRunner runner;
  QObject receiver;
  constexpr int kPictureMs = 20;
  constexpr int kSteps = 150;  // of 2 ms
  int pictures = 0;
  bool done = false;
  std::function<void()> ask = [&] {  // asks again as soon as it is answered
    runner.requestView<int>(
        "map", &receiver,
        [](EngineRoom&, const JobControl&) -> Number {
          QThread::msleep(kPictureMs);
          return 0;
        },
        [&](const Number&) {
          if (done) return;
          ++pictures;
          ask();
        });
  };
  ask();
  runner.startLong<int>(
      &receiver, Lane::Answer, SameLane::Queue,
      [](EngineRoom&, const JobControl& job) -> Number {
        for (int step = 0; step < kSteps; ++step) {
          QThread::msleep(2);
          job.step();
        }
        return 0;
      },
      [&](const Number&) { done = true; });
  ASSERT_TRUE(waitUntil([&] { return done; }));
  EXPECT_GE(pictures, 2);
  // Without the rule there would be a picture after every step; sleeping on a busy machine may
  // stretch the job's own time, so the bound is wide.
  EXPECT_LE(pictures, kSteps / 4);
}

TEST(EngineRunner, AnswersOnlyTheNewestViewOfAKey) {
  EngineRunner runner;
  QObject receiver;
  std::vector<int> delivered;
  std::atomic<bool> first = false;
  runner.requestView<int>(
      "map", &receiver,
      [&](EngineRoom&, const JobControl& job) -> Number {
        first = true;
        while (!job.stopRequested()) QThread::msleep(1);  // superseded: asked to stop
        return 0;
      },
      [&](const Number& result) { delivered.push_back(*result); });
  ASSERT_TRUE(waitUntil([&] { return first.load(); }));
  for (int i = 1; i <= 20; ++i) {
    runner.requestView<int>("map", &receiver, give(i),
                            [&](const Number& result) { delivered.push_back(*result); });
  }
  runner.requestView<int>("other", &receiver, give(100),
                          [&](const Number& result) { delivered.push_back(*result); });
  ASSERT_TRUE(waitUntil([&] { return delivered.size() >= 2; }));
  QTest::qWait(20);
  EXPECT_EQ(delivered, (std::vector{20, 100}));
}

TEST(EngineRunner, DropsAViewThatIsNoLongerWanted) {
  EngineRunner runner;
  QObject receiver;
  bool delivered = false;
  runner.requestView<int>("map", &receiver, give(1), [&](const Number&) { delivered = true; });
  runner.dropViews("map");
  QTest::qWait(30);
  EXPECT_FALSE(delivered);
}

TEST(EngineRunner, StopReachesTheRunningJobAndThoseThatWait) {
  EngineRunner runner;
  QObject receiver;
  Steady steady;
  std::vector<ErrorCode> codes;
  const auto note = [&](const Number& result) {
    ASSERT_FALSE(result);
    codes.push_back(result.error().code);
  };
  runner.startLong<int>(&receiver, Lane::Answer, SameLane::Queue, steady.work(1), note);
  runner.startLong<int>(&receiver, Lane::Answer, SameLane::Queue, give(2), note);
  ASSERT_TRUE(waitUntil([&] { return steady.began.load(); }));
  runner.stop(Lane::Answer);
  ASSERT_TRUE(waitUntil([&] { return !runner.isBusy(); }));
  EXPECT_EQ(codes, (std::vector{ErrorCode::Cancelled, ErrorCode::Cancelled}));
}

TEST(EngineRunner, StoppingOneLaneLeavesTheOtherAlone) {
  EngineRunner runner;
  QObject receiver;
  Steady sweep;
  std::optional<int> swept;
  std::optional<ErrorCode> answer;
  runner.startLong<int>(&receiver, Lane::Sweep, SameLane::Queue, sweep.work(3),
                        [&](const Number& result) { swept = *result; });
  runner.startLong<int>(&receiver, Lane::Answer, SameLane::Queue, give(4),
                        [&](const Number& result) { answer = result.error().code; });
  ASSERT_TRUE(waitUntil([&] { return sweep.began.load(); }));
  runner.stop(Lane::Answer);
  ASSERT_TRUE(waitUntil([&] { return answer.has_value(); })) << "must not wait for the sweep";
  EXPECT_FALSE(swept);
  sweep.end = true;
  ASSERT_TRUE(waitUntil([&] { return swept.has_value(); }));
  EXPECT_EQ(*swept, 3);
}

TEST(EngineRunner, ReplacingAJobStopsItAndDropsItsResult) {
  EngineRunner runner;
  QObject receiver;
  Steady steady;
  bool oldDelivered = false;
  std::optional<int> result;
  runner.startLong<int>(&receiver, Lane::Load, SameLane::Replace, steady.work(1),
                        [&](const Number&) { oldDelivered = true; });
  ASSERT_TRUE(waitUntil([&] { return steady.began.load(); }));
  runner.startLong<int>(&receiver, Lane::Load, SameLane::Replace, give(2),
                        [&](const Number& value) { result = *value; });
  ASSERT_TRUE(waitUntil([&] { return result.has_value(); }));
  EXPECT_EQ(*result, 2);
  EXPECT_FALSE(oldDelivered);
}

TEST(EngineRunner, DeliversNothingToAReceiverThatIsGone) {
  EngineRunner runner;
  auto receiver = std::make_unique<QObject>();
  Steady steady;
  bool delivered = false;
  runner.startLong<int>(receiver.get(), Lane::Answer, SameLane::Queue, steady.work(1),
                        [&](const Number&) { delivered = true; });
  ASSERT_TRUE(waitUntil([&] { return steady.began.load(); }));
  receiver.reset();
  steady.end = true;
  ASSERT_TRUE(waitUntil([&] { return !runner.isBusy(); }));
  EXPECT_FALSE(delivered);
}

TEST(EngineRunner, CoalescesProgressAndStreamedValues) {
  EngineRunner runner;
  QObject receiver;
  constexpr int kSteps = 400;
  int reports = 0;
  int handOvers = 0;
  std::string collected;
  bool done = false;
  QObject::connect(&runner, &EngineRunner::progressed, &receiver,
                   [&](Lane, const Progress&) { ++reports; });
  const auto sink = runner.stream<std::string>(
      &receiver,
      [&](const std::string& text) {
        ++handOvers;
        EXPECT_FALSE(done) << "a job's values come before its result";
        collected += text;
      },
      [](std::string& waiting, std::string&& next) { waiting += next; });
  QElapsedTimer clock;
  clock.start();
  runner.startLong<int>(
      &receiver, Lane::Answer, SameLane::Queue,
      [sink](EngineRoom&, const JobControl& job) -> Number {
        for (int step = 0; step < kSteps; ++step) {
          job.report({"decode", step, kSteps});
          sink("x");
          QThread::usleep(500);
        }
        return kSteps;
      },
      [&](const Number&) { done = true; });
  ASSERT_TRUE(waitUntil([&] { return done; }));
  const auto most = clock.elapsed() / 33 + 3;  // 30 a second, the last one on top
  EXPECT_EQ(collected.size(), static_cast<std::size_t>(kSteps)) << "nothing is lost";
  EXPECT_GE(reports, 1);
  EXPECT_LE(reports, most);
  EXPECT_LE(handOvers, most);
}

TEST(EngineRunner, AStreamWithoutMergeKeepsTheNewestValue) {
  EngineRunner runner;
  QObject receiver;
  int last = -1;
  bool done = false;
  {
    const auto sink = runner.stream<int>(&receiver, [&](const int& value) { last = value; });
    runner.startLong<int>(
        &receiver, Lane::Sweep, SameLane::Queue,
        [sink](EngineRoom&, const JobControl&) -> Number {
          for (int value = 0; value <= 99; ++value) sink(value);
          return 0;
        },
        [&](const Number&) { done = true; });
  }
  ASSERT_TRUE(waitUntil([&] { return done; }));
  EXPECT_EQ(last, 99);
}

TEST(EngineRunner, GoesAwayWhileBusyWithoutDelivering) {
  QObject receiver;
  Steady steady;
  bool delivered = false;
  {
    EngineRunner runner;
    const auto note = [&](const Number&) { delivered = true; };
    runner.startLong<int>(&receiver, Lane::Answer, SameLane::Queue, steady.work(1), note);
    runner.startLong<int>(&receiver, Lane::Answer, SameLane::Queue, steady.work(2), note);
    runner.requestView<int>("map", &receiver, give(1), note);
    while (!steady.began) QThread::msleep(1);
  }
  QTest::qWait(10);
  EXPECT_FALSE(delivered);
}

}  // namespace
}  // namespace ropescope::ui
