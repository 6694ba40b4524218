// Grids of cells: what is measured once, kept, resumed and concluded.
#include "core/eval/retrieval_grid.h"

#include <array>
#include <map>
#include <stop_token>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/eval/passkey_prompt.h"
#include "core/eval/proportion.h"
#include "core/eval/question_run.h"
#include "core/eval/retrieval_session.h"
#include "core/model/calibration_origin.h"
#include "tests/support/test_models.h"

namespace ropescope::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RetrievalCell cell(const std::string& method, std::int64_t length, double depth, int found,
                   int trials) {
  RetrievalCell made{.method = method, .length = length, .depth = depth, .answers = {}};
  for (int i = 0; i < trials; ++i) {
    made.answers.push_back({.expected = "1", .answer = "", .judgement = {.found = i < found}});
  }
  return made;
}

std::optional<std::int64_t> effective(const std::vector<RetrievalCell>& cells, double threshold) {
  GridRequest request;
  request.methods = {CurveSettings{.label = "a"}};
  request.lengths = {256, 512, 1024};
  request.depths = {0.0, 1.0};
  const auto contexts = effectiveContext(cells, request, threshold);
  EXPECT_EQ(contexts.size(), 1U);
  EXPECT_EQ(contexts.front().method, "a");
  return contexts.front().length;
}

TEST(EffectiveContext, IsTheLongestLengthFoundAtEveryDepthWithAllShorterOnes) {
  const auto at = [](std::int64_t length, int first, int last) {
    return std::vector{cell("a", length, 0.0, first, 10), cell("a", length, 1.0, last, 10)};
  };
  const auto grid = [&](std::array<int, 6> found) {
    std::vector<RetrievalCell> cells = at(256, found[0], found[1]);
    for (const auto& more : {at(512, found[2], found[3]), at(1024, found[4], found[5])}) {
      cells.insert(cells.end(), more.begin(), more.end());
    }
    return cells;
  };
  EXPECT_EQ(effective(grid({10, 10, 10, 10, 10, 10}), 1.0), 1024);
  EXPECT_EQ(effective(grid({10, 10, 10, 10, 10, 9}), 1.0), 512);
  EXPECT_EQ(effective(grid({10, 10, 0, 10, 10, 10}), 1.0), 256);  // a hole ends it
  EXPECT_EQ(effective(grid({9, 10, 10, 10, 10, 10}), 1.0), std::nullopt);
  EXPECT_EQ(effective(grid({2, 3, 2, 2, 1, 10}), 0.2), 512);  // PI's rule
  EXPECT_EQ(effective(grid({9, 9, 9, 9, 9, 9}), 0.9), 1024);
  EXPECT_EQ(effective({}, 1.0), std::nullopt);
  EXPECT_EQ(effective(at(256, 10, 10), 1.0), 256);  // longer ones not measured
  EXPECT_EQ(effective({cell("a", 256, 0.0, 10, 10)}, 1.0), std::nullopt);
  EXPECT_EQ(effective({cell("b", 256, 0.0, 1, 1), cell("b", 256, 1.0, 1, 1)}, 1.0), std::nullopt);
  // 0.1 * 30 is a little more than 3 in binary.
  EXPECT_EQ(effective({cell("a", 256, 0.0, 3, 30), cell("a", 256, 1.0, 3, 30)}, 0.1), 256);
}

TEST(RetrievalCells, ComeBackFromTheirLine) {
  RetrievalCell made = cell("yarn:factor=4", 4096, 0.1, 2, 3);
  made.answers[0].answer = "12 \"quoted\"\nline";
  made.answers[1].needleBegin = 77;
  made.answers[2].judgement.contained = true;
  const auto json = ResultJson::parse(cellJson(made).dump());
  EXPECT_EQ(json["found"], 2);
  EXPECT_EQ(json["trials"], 3);
  const auto back = cellFrom(json);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->depth, 0.1);
  EXPECT_EQ(back->found(), 2);
  EXPECT_EQ(back->contained(), 1);
  EXPECT_EQ(cellJson(*back), json);
  auto broken = json;
  broken["answers"][1].erase("needle_at");
  expectError(cellFrom(broken), ErrorCode::CorruptFile, {"needle_at"});
  broken = json;
  broken["length"] = "4096";
  expectError(cellFrom(broken), ErrorCode::CorruptFile, {"length"});
  expectError(cellFrom(ResultJson(3)), ErrorCode::CorruptFile, {"method"});
}

// Numbers: the interval's ends p solve (x/n - p)^2 n = z^2 p (1 - p), found by bisection in Python.
TEST(WilsonInterval, HasTheEndsThatItsDefinitionGives) {
  constexpr double kBisection = 1e-12;
  EXPECT_NEAR(wilsonInterval(8, 10).low, 0.4901624715366417, kBisection);
  EXPECT_NEAR(wilsonInterval(8, 10).high, 0.9433178485456248, kBisection);
  EXPECT_NEAR(wilsonInterval(42, 58).low, 0.5979534481052067, kBisection);
  EXPECT_NEAR(wilsonInterval(42, 58).high, 0.8224764786108747, kBisection);
  EXPECT_EQ(wilsonInterval(0, 10).low, 0.0);
  EXPECT_NEAR(wilsonInterval(0, 10).high, 0.27753279986288926, kBisection);
  EXPECT_NEAR(wilsonInterval(10, 10).low, 0.7224672001371109, kBisection);
  EXPECT_EQ(wilsonInterval(10, 10).high, 1.0);
  EXPECT_EQ(wilsonInterval(0, 0).low, 0.0);
  EXPECT_EQ(wilsonInterval(0, 0).high, 1.0);
}

class RetrievalGrid : public testing::Test {
 protected:
  RetrievalGrid() : engine(loadEngine(storiesPath())) {
    auto passkey = PasskeyPrompts::make(
        {.recipe = PasskeyRecipe::Yarn, .seed = 5, .tokenizer = *engine->tokenizer()});
    EXPECT_TRUE(passkey) << passkey.error().message;
    prompts = *std::move(passkey);
    for (const char* method : {"none", "pi:factor=2"}) {
      request.methods.push_back(*parseCurve(method, *engine));
    }
    request.lengths = {200, 300};
    request.depths = {0.0, 0.5, 1.0};
    request.trials = 2;
    request.mostAnswerTokens = 4;
    request.judge = judgeKey;
    request.prompt = [this](std::int64_t length, double depth, std::int64_t trial) {
      ++made;
      return prompts->prompt({.length = length, .depth = depth, .trial = trial});
    };
  }

  ResultLog log(const std::string& name, LogStart start = LogStart::Fresh) const {
    auto opened = ResultLog::open(folder / name, {{"command", "test"}}, start);
    if (!opened) {
      ADD_FAILURE() << opened.error().message;
      std::abort();
    }
    return *std::move(opened);
  }

  // One LoRA pair of zeros that says it was trained for this model under `method`.
  std::shared_ptr<const Calibration> calibrationUnder(const std::string& method) const {
    const auto width = engine->config().hiddenSize;
    const std::vector<float> zeros(static_cast<std::size_t>(width) * 2, 0.0F);
    const OwnedTensor a = float32Tensor({2, width}, zeros);
    const OwnedTensor b = float32Tensor({width, 2}, zeros);
    const std::string name = "model.layers.0.self_attn.q_lora.";
    const Status written =
        writeSafetensors(folder / "lora.safetensors",
                         {{name + "A_lora", {a.type, a.shape, a.bytes}},
                          {name + "B_lora", {b.type, b.shape, b.bytes}}},
                         originMetadata({.modelHash = engine->modelHash(), .method = method}));
    EXPECT_TRUE(written) << written.error().message;
    auto loaded = engine->loadCalibration(folder / "lora.safetensors");
    EXPECT_TRUE(loaded) << loaded.error().message;
    return *loaded;
  }

  TempDir folder;
  EnginePtr engine;
  std::optional<PasskeyPrompts> prompts;
  GridRequest request;
  int made = 0;  // prompts
};

TEST_F(RetrievalGrid, KeepsEveryCellAndMakesOnlyTheMissingOnesAfterAStop) {
  std::vector<RetrievalCell> whole;
  {
    auto file = log("whole.jsonl");
    const Status done = measureGrid(*engine, request, file,
                                    [&](const RetrievalCell& each) { whole.push_back(each); }, {});
    ASSERT_TRUE(done) << done.error().message;
  }
  ASSERT_EQ(whole.size(), 2U * 2U * 3U);
  for (const RetrievalCell& each : whole) EXPECT_EQ(each.trials(), 2);

  // Stopped once five cells are done: in the middle of a method and a length.
  std::stop_source stop;
  {
    auto file = log("stopped.jsonl");
    int cells = 0;
    const Status stopped = measureGrid(*engine, request, file,
                                       [&](const RetrievalCell&) {
                                         if (++cells == 5) stop.request_stop();
                                       },
                                       {.stop = stop.get_token()});
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::Cancelled);
  }
  made = 0;
  auto file = log("stopped.jsonl", LogStart::Resume);
  EXPECT_EQ(file.records().size(), 5U);
  std::vector<RetrievalCell> resumed;
  const Status done = measureGrid(*engine, request, file,
                                  [&](const RetrievalCell& each) { resumed.push_back(each); }, {});
  ASSERT_TRUE(done) << done.error().message;
  // One prompt for every length and depth is made beforehand to see that it can be; then two trials
  // for each of the seven missing cells.
  EXPECT_EQ(made, 2 * 3 + 7 * 2);
  ASSERT_EQ(resumed.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(cellJson(resumed[i]), cellJson(whole[i])) << i;
  }
  EXPECT_EQ(readText(folder / "stopped.jsonl"), readText(folder / "whole.jsonl"));
}

TEST_F(RetrievalGrid, AsksAllMethodsTheSame) {
  auto file = log("cells.jsonl");
  std::map<std::pair<std::int64_t, double>, std::vector<std::string>> keys;
  const Status done = measureGrid(*engine, request, file,
                                  [&](const RetrievalCell& each) {
                                    std::vector<std::string> expected;
                                    for (const auto& answer : each.answers)
                                      expected.push_back(answer.expected);
                                    const auto known =
                                        keys.emplace(std::pair(each.length, each.depth), expected);
                                    EXPECT_EQ(known.first->second, expected) << each.method;
                                  },
                                  {});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(keys.size(), 6U);
}

TEST_F(RetrievalGrid, RefusesBeforeAnyWork) {
  auto file = log("none.jsonl");
  request.lengths = {100, 200};
  expectError(measureGrid(*engine, request, file, {}, {}), ErrorCode::InvalidArgument,
              {"100", "lengths from 160"});
  request.lengths = {200, 300};
  request.methods.push_back(*parseCurve("longrope", *engine));
  expectError(measureGrid(*engine, request, file, {}, {}), ErrorCode::Unsupported,
              {"longrope", "factors"});
  request.methods.pop_back();
  // Trained under YaRN: refused for PI although PI itself comes second.
  request.methods[1].calibration = calibrationUnder("yarn");
  expectError(measureGrid(*engine, request, file, {}, {}), ErrorCode::InvalidArgument,
              {"pi:factor=2", "yarn"});
  EXPECT_EQ(readText(folder / "none.jsonl"),
            "{\"ropescope_results\":1,\"settings\":{\"command\":\"test\"}}\n");
}

TEST_F(RetrievalGrid, DecidesOpenFactorsByTheLongestLengthAndAutoByItsOwn) {
  const auto factorOf = [&](const char* method, std::int64_t length) {
    const LengthPlan at{.longest = 2048, .length = length, .answerRoom = 10};
    return *choiceAt(*parseCurve(method, *engine), *engine, at).factor;
  };
  // Trained length 512.
  EXPECT_EQ(factorOf("yarn", 1024), 4.0);
  EXPECT_EQ(factorOf("yarn:factor=auto", 1024), 2.0);
  EXPECT_EQ(factorOf("yarn:factor=auto", 256), 1.0);
  EXPECT_EQ(factorOf("yarn:factor=3", 1024), 3.0);
}

class QuestionRun : public testing::Test {
 protected:
  QuestionRun() : engine(loadEngine(bookwormPath(), "bfloat16")) {
    const auto tokenizer = *engine->tokenizer();
    const auto path =
        std::filesystem::path(ROPESCOPE_RESOURCES_DIR) / "samples" / "01-newgate-escape.txt";
    const auto book = *bookTokens(*tokenizer, "newgate", readText(path));
    auto set = bookQuestions(tokenizer, engine->promptFormat(), {book},
                             {.length = 512, .count = 8, .types = {QuestionType::Fact}});
    EXPECT_TRUE(set) << set.error().message;
    request = {.methods = {*parseCurve("none", *engine), *parseCurve("pi:factor=8", *engine)},
               .lengths = {{.length = 512, .windows = std::move(set->windows)}}};
  }
  ResultLog log(const std::string& name, LogStart start = LogStart::Fresh) const {
    return *ResultLog::open(folder / name, {{"command", "test"}}, start);
  }

  TempDir folder;
  EnginePtr engine;
  QuestionRequest request;
};

TEST_F(QuestionRun, CountsWholeAnswersAndResumesByWindow) {
  std::vector<AnsweredWindow> whole;
  {
    auto file = log("whole.jsonl");
    const Status done = measureQuestions(
        *engine, request, file, [&](const AnsweredWindow& each) { whole.push_back(each); }, {});
    ASSERT_TRUE(done) << done.error().message;
  }
  ASSERT_EQ(whole.size(), 4U);  // two windows of four questions, two methods
  for (const auto& window : whole) {
    ASSERT_EQ(window.answers.size(), 4U);
    for (const auto& answer : window.answers) {
      EXPECT_EQ(answer.correct, judgeText(answer.answer, answer.expected).found);
    }
  }
  const auto accuracy = questionAccuracy(whole, request);
  ASSERT_EQ(accuracy.size(), 2U);
  EXPECT_EQ(accuracy[0].method, "none");
  EXPECT_EQ(accuracy[0].asked, 8);
  // The model card: facts right at 1,024 tokens 70 of 100; PI by 8 without training leaves nothing.
  EXPECT_GE(accuracy[0].correct, 4);
  EXPECT_LE(accuracy[1].correct, 1);
  EXPECT_LT(accuracy[1].interval.low, accuracy[0].interval.low);

  std::stop_source stop;
  {
    auto file = log("stopped.jsonl");
    const Status stopped = measureQuestions(*engine, request, file,
                                            [&](const AnsweredWindow&) { stop.request_stop(); },
                                            {.stop = stop.get_token()});
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::Cancelled);
  }
  auto file = log("stopped.jsonl", LogStart::Resume);
  EXPECT_EQ(file.records().size(), 1U);
  const Status done = measureQuestions(*engine, request, file, {}, {});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(readText(folder / "stopped.jsonl"), readText(folder / "whole.jsonl"));
}

TEST(AnsweredWindows, ComeBackFromTheirLine) {
  const AnsweredWindow window{
      .method = "none",
      .length = 512,
      .window = 3,
      .book = "b",
      .begin = 9,
      .answers = {
          {.type = "fact", .question = "Q?", .expected = "A", .answer = "B", .correct = false}}};
  const auto json = ResultJson::parse(windowJson(window).dump());
  const auto back = windowFrom(json);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(windowJson(*back), json);
  auto broken = json;
  broken["answers"][0]["correct"] = 1;
  expectError(windowFrom(broken), ErrorCode::CorruptFile, {"correct"});
}

}  // namespace
}  // namespace ropescope::test
