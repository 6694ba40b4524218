// The cells of a sweep: planned, measured, resumed, read back.
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/document/document.h"
#include "core/eval/evaluation_windows.h"
#include "core/eval/sweep_records.h"
#include "core/eval/sweep_run.h"
#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;
using testing::ElementsAre;

constexpr double kRounded = 5.1e-7;  // losses are kept to a millionth of a nat

class Sweep : public testing::Test {
 protected:
  Sweep() : engine(loadEngine(storiesPath())) {
    const Ids story = storyIds(*engine, 1200);
    books.push_back({"a.txt", "text of a", {story.begin() + 1, story.begin() + 400}});
    books.push_back({"b.txt", "text of b", {story.begin() + 400, story.begin() + 700}});
  }
  SweepSettings settings(const std::string& json) const {
    std::ofstream(temp.path() / "sweep.json") << json;
    auto read = readSweepSettings(temp.path() / "sweep.json");
    EXPECT_TRUE(read) << read.error().message;
    return *read;
  }
  SweepInput input(const SweepSettings& from) const {
    return {.engine = *engine,
            .settings = from,
            .books = books,
            .stamp = {{"device", "cpu"}, {"version", "1"}},
            .log = {}};
  }
  ResultLog log() const {
    auto opened =
        ResultLog::open(temp.path() / "out.jsonl", sweepHeader(*engine), LogStart::Resume);
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }
  EnginePtr engine;
  std::vector<SweepBook> books;
  TempDir temp;
};

constexpr const char* kTwoLengths = R"({"settings": [{"methods": ["none"]},
    {"methods": ["yarn"], "factors": [2]}], "perplexity": {"lengths": [64, 350]}})";

TEST_F(Sweep, PlansOneCellForEverySettingLengthAndBook) {
  const auto plan = planSweep(settings(kTwoLengths), books);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->cells.size(), 8U);
  EXPECT_TRUE(plan->waiting.empty());
  std::set<std::string> keys;
  for (const SweepCell& cell : plan->cells) keys.insert(cell.key.dump());
  EXPECT_EQ(keys.size(), 8U);
  EXPECT_EQ(plan->cells[5].key["setting"], "yarn:factor=2");
  EXPECT_EQ(plan->cells[5].key["length"], 64);
  EXPECT_EQ(plan->cells[5].key["book"], "b.txt");
}

TEST_F(Sweep, ChangedTextsAreOtherCells) {
  const auto before = planSweep(settings(kTwoLengths), books);
  auto changed = books;
  changed[0].text += "!";
  const auto after = planSweep(settings(kTwoLengths), changed);
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->cells[0].key, after->cells[0].key);
  EXPECT_EQ(before->cells[1].key, after->cells[1].key);
}

TEST_F(Sweep, SettingsWithoutTheirFileWait) {
  const auto plan =
      planSweep(settings(R"({"settings": [{"methods": ["pi"], "variants": ["untrained", "psc"],
                   "calibration": "{variant}.safetensors"}], "perplexity": {"lengths": [64]}})"),
                books);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->cells.size(), 2U);
  ASSERT_EQ(plan->waiting.size(), 1U);
  EXPECT_EQ(plan->waiting[0].label, "pi:calibration=psc.safetensors");
  EXPECT_EQ(plan->waiting[0].file, (temp.path() / "psc.safetensors").string());
}

TEST_F(Sweep, RecordsTheLossesOfEveryWindow) {
  const auto sweep = settings(kTwoLengths);
  const auto plan = planSweep(sweep, books);
  ASSERT_TRUE(plan);
  {
    auto out = log();
    const Status done = measureSweep(input(sweep), *plan, out, {}, {});
    ASSERT_TRUE(done) << done.error().message;
  }
  const auto records = readSweepRecords({temp.path() / "out.jsonl"});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->perplexity.size(), 8U);
  const PerplexityRecord& cell = records->perplexity[4];  // yarn, 64, a.txt
  EXPECT_EQ(cell.setting.base, "yarn:factor=2");
  EXPECT_EQ(cell.setting.factor, 2.0);
  EXPECT_EQ(cell.setting.variant, kUntrained);
  EXPECT_EQ(cell.bookTokens, 399);
  EXPECT_EQ(cell.windowsOfBook, 6);  // 63 own tokens and BOS
  EXPECT_THAT(cell.binEnds, ElementsAre(64));
  ASSERT_EQ(cell.losses.size(), 6U);
  const auto windows =
      evaluationWindows({{"a.txt", books[0].ids}}, {.length = 64, .bos = bosOf(*engine)});
  const auto losses =
      windowLosses(*engine, *parseCurve("yarn:factor=2", *engine), *windows, {64}, {});
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(cell.losses[i][0], (*losses)[i].meanLoss, kRounded);
  }
  // b.txt has 300 tokens: no window of 350, and that is a result too.
  EXPECT_EQ(records->perplexity[7].book, "b.txt");
  EXPECT_EQ(records->perplexity[7].length, 350);
  EXPECT_TRUE(records->perplexity[7].losses.empty());
  EXPECT_EQ(records->header["model_hash"], engine->modelHash());
  EXPECT_EQ(records->header["dtype"], "float32");
}

TEST_F(Sweep, GoesOnWhereItStopped) {
  const auto sweep = settings(kTwoLengths);
  const auto plan = planSweep(sweep, books);
  ASSERT_TRUE(plan);
  std::stop_source source;
  JobControl job;
  job.stop = source.get_token();
  {
    auto out = log();
    const auto stopAfterThree = [&](const ResultJson&, std::int64_t done) {
      if (done == 3) source.request_stop();
    };
    expectError(measureSweep(input(sweep), *plan, out, stopAfterThree, job), ErrorCode::Cancelled,
                {"stopped"});
  }
  std::vector<std::int64_t> counts;
  {
    auto out = log();
    EXPECT_EQ(out.records().size(), 3U);
    ASSERT_TRUE(measureSweep(input(sweep), *plan, out,
                             [&](const ResultJson&, std::int64_t done) { counts.push_back(done); },
                             {}));
  }
  EXPECT_THAT(counts, ElementsAre(4, 5, 6, 7, 8));
  const auto content = readResultLog(temp.path() / "out.jsonl");
  ASSERT_TRUE(content);
  std::set<std::string> keys;
  for (const auto& record : content->records) keys.insert(record["key"].dump());
  EXPECT_EQ(content->records.size(), 8U);
  EXPECT_EQ(keys.size(), 8U);
  EXPECT_TRUE(missingCells(plan->cells, content->records).empty());
}

// Phase modules of 3e38 overflow float32: no loss is a number.
TEST_F(Sweep, ACellThatFailsIsNamedAndTheOthersAreMeasured) {
  const std::vector<float> huge(8 * 8 * 8, 3e38F);  // 8 heads of 8 values
  OwnedTensors tensors;
  for (const char* name : {"up_phase", "down_phase"}) {
    tensors["model.layers.0.self_attn.q_phase." + std::string(name)] =
        float32Tensor({8, 8, 8}, huge);
  }
  writeTensors(temp.path() / "psc.safetensors", tensors);
  const auto sweep = settings(R"({"settings": [
      {"methods": ["pi"], "factors": [2], "variants": ["psc", "untrained"],
       "calibration": "{variant}.safetensors"}], "perplexity": {"lengths": [64]}})");
  const auto plan = planSweep(sweep, books);
  ASSERT_TRUE(plan) << plan.error().message;
  SweepInput own = input(sweep);
  std::vector<std::string> warnings;
  own.log = [&](LogLevel, const std::string& text) { warnings.push_back(text); };
  auto out = log();
  std::int64_t measured = 0;
  const Status done =
      measureSweep(own, *plan, out, [&](const ResultJson&, std::int64_t) { ++measured; }, {});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, testing::HasSubstr("2 cells could not be measured"));
  EXPECT_THAT(done.error().message, testing::HasSubstr("calibration=psc.safetensors"));
  EXPECT_THAT(done.error().message, testing::HasSubstr("perplexity at 64, a.txt"));
  EXPECT_EQ(measured, 2);
  EXPECT_EQ(warnings.size(), 2U);
}

// An open factor is that of the longest length: another one, another cell.
TEST_F(Sweep, AnOpenFactorMakesTheLongestLengthPartOfTheCell) {
  const auto keys = [&](const char* method, const char* lengths) {
    const auto plan = planSweep(settings(std::string(R"({"settings": [{"methods": [")") + method +
                                         R"("]}], "perplexity": {"lengths": )" + lengths + "}}"),
                                books);
    EXPECT_TRUE(plan);
    return plan->cells[0].key;
  };
  EXPECT_NE(keys("pi", "[64]"), keys("pi", "[64, 128]"));
  EXPECT_EQ(keys("pi:factor=2", "[64]"), keys("pi:factor=2", "[64, 128]"));
  EXPECT_EQ(keys("none", "[64]"), keys("none", "[64, 128]"));
}

TEST_F(Sweep, MoreSettingsMeasureOnlyWhatIsNew) {
  const auto small = settings(R"({"settings": [{"methods": ["none"]}],
                                  "perplexity": {"lengths": [64]}})");
  {
    auto out = log();
    ASSERT_TRUE(measureSweep(input(small), *planSweep(small, books), out, {}, {}));
  }
  const auto large = settings(kTwoLengths);
  const auto plan = planSweep(large, books);
  EXPECT_EQ(missingCells(plan->cells, log().records()).size(), 6U);
}

TEST_F(Sweep, FindsPassKeysAndAnswersQuestions) {
  const auto bookworm = loadEngine(bookwormPath());
  const auto text = readDocument(std::filesystem::path(ROPESCOPE_RESOURCES_DIR) / "samples" /
                                 "01-newgate-escape.txt");
  ASSERT_TRUE(text);
  const SweepBook book{"newgate.txt", text->text, (*bookworm->tokenizer())->encode(text->text).ids};
  const auto asked = [&](const std::string& answers) {
    return settings(R"({"settings": [{"methods": ["none"]}],
      "passkey": {"recipe": "bookworm", "lengths": [300], "depths": [0.5], "trials": 2)" +
                    answers + R"(},
      "questions": {"lengths": [640], "types": ["fact"], "per_type": 2)" +
                    answers + "}}");
  };
  const auto sweep = asked("");
  const auto plan = planSweep(sweep, {book});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->cells.size(), 2U);
  const SweepInput own{.engine = *bookworm,
                       .settings = sweep,
                       .books = {book},
                       .stamp = {{"device", "cpu"}, {"version", "1"}},
                       .log = {}};
  {
    auto out = ResultLog::open(temp.path() / "out.jsonl", sweepHeader(*bookworm), LogStart::Fresh);
    ASSERT_TRUE(out);
    const Status done = measureSweep(own, *plan, *out, {}, {});
    ASSERT_TRUE(done) << done.error().message;
  }
  const auto records = readSweepRecords({temp.path() / "out.jsonl"});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->passkey.size(), 1U);
  EXPECT_EQ(records->passkey[0].recipe, "bookworm");
  EXPECT_EQ(records->passkey[0].trials, 2);
  ASSERT_EQ(records->questions.size(), 1U);
  EXPECT_EQ(records->questions[0].type, "fact");
  EXPECT_EQ(records->questions[0].asked, 2);
  EXPECT_LE(records->questions[0].correct, 2);

  // Without their answers the cells are others, and count the same.
  const auto brief = asked(R"(, "answers": false)");
  const auto counts = planSweep(brief, {book});
  ASSERT_TRUE(counts) << counts.error().message;
  const SweepInput briefInput{.engine = *bookworm,
                              .settings = brief,
                              .books = {book},
                              .stamp = {{"device", "cpu"}, {"version", "1"}},
                              .log = {}};
  auto out = ResultLog::open(temp.path() / "out.jsonl", sweepHeader(*bookworm), LogStart::Resume);
  ASSERT_TRUE(out);
  EXPECT_EQ(missingCells(counts->cells, out->records()).size(), 2U);
  ASSERT_TRUE(measureSweep(briefInput, *counts, *out, {}, {}));
  const auto all = readResultLog(temp.path() / "out.jsonl")->records;
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0]["answers"].size(), 2U);
  EXPECT_EQ(all[0]["found"], all[2]["found"]);
  EXPECT_FALSE(all[2].contains("answers"));
  EXPECT_FALSE(all[1]["windows"].empty());
  EXPECT_EQ(all[1]["types"], all[3]["types"]);
  EXPECT_FALSE(all[3].contains("windows"));
}

TEST_F(Sweep, RefusesBeforeAnyWork) {
  const auto refused = [&](const SweepSettings& sweep, const std::vector<std::string>& parts) {
    const auto plan = planSweep(sweep, books);
    ASSERT_TRUE(plan);
    auto out = log();
    const Status done = measureSweep(input(sweep), *plan, out, {}, {});
    ASSERT_FALSE(done);
    for (const auto& part : parts) {
      EXPECT_NE(done.error().message.find(part), std::string::npos) << done.error().message;
    }
    EXPECT_TRUE(out.records().empty());
    EXPECT_TRUE(readResultLog(temp.path() / "out.jsonl")->records.empty());
  };
  refused(settings(R"({"settings": [{"methods": ["none"]}, {"methods": ["none"], "factors": [2]}],
                       "perplexity": {"lengths": [64]}})"),
          {"none:factor=2", "takes no factor"});
  refused(
      settings(R"({"settings": [{"methods": ["none"]}], "perplexity": {"lengths": [64, 401]}})"),
      {"401", "longest of 2 has 399"});
  expectError(planSweep(settings(kTwoLengths), {}), ErrorCode::InvalidArgument,
              {"books", "--document"});
  auto twice = books;
  twice[1].name = "a.txt";
  expectError(planSweep(settings(kTwoLengths), twice), ErrorCode::InvalidArgument,
              {"a.txt", "rename"});
}

}  // namespace
}  // namespace ropescope
