#include "core/eval/sweep_records.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/eval/sweep_report.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;
using testing::HasSubstr;

constexpr double kRounding = 1e-12;  // sums of a few doubles near 1

constexpr const char* kHeader =
    R"({"ropescope_results":1,"settings":{"kind":"sweep","model":"m","dtype":"float32"}})";

std::string record(const std::string& label, const std::string& losses,
                   const std::string& hash = "1f") {
  return R"({"key":{"measure":"perplexity","setting":")" + label + R"(","files":[")" + hash +
         R"("],"length":8,"book":"a","book_sha256":"0a",)" +
         R"("windows_per_book":0},"base":"pi","method":"pi","factor":2.0,)" +
         R"("variant":"psc","seed":3,"book_tokens":9,"windows_of_book":1,"bin_ends":[8],"losses":)" +
         losses + R"(,"device":"cpu","version":"1"})";
}

class SweepFiles : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& text) const {
    std::ofstream(temp.path() / name) << text;
    return temp.path() / name;
  }
  TempDir temp;
};

TEST_F(SweepFiles, OfACellMeasuredAgainTheLastCounts) {
  const auto path =
      file("a.jsonl", std::string(kHeader) + "\n" + record("x", "[[3.0]]") + "\n" +
                          record("y", "[[1.0]]") + "\n" + record("x", "[[2.0]]") + "\n");
  const auto records = readSweepRecords({path});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->perplexity.size(), 2U);
  EXPECT_EQ(records->perplexity[0].losses[0][0], 2.0);
  EXPECT_EQ(records->perplexity[0].setting.seed, 3);
  ASSERT_EQ(records->notices.size(), 1U);
  EXPECT_THAT(records->notices[0], HasSubstr("x, perplexity at 8, a was measured again"));
}

std::string passkeyRecord(int found, int trials) {
  return R"({"key":{"measure":"passkey","setting":"x","files":["1f"],"length":8,"recipe":"yarn"},)"
         R"("base":"pi","method":"pi","factor":2.0,"variant":"psc","seed":3,"depth":0.5,"found":)" +
         std::to_string(found) + R"(,"trials":)" + std::to_string(trials) +
         R"(,"device":"cpu","version":"1"})";
}

std::string questionRecord(int correct, int asked) {
  return R"({"key":{"measure":"questions","setting":"x","files":["1f"],"length":8},)"
         R"("base":"pi","method":"pi","factor":2.0,"variant":"psc","seed":3,)"
         R"("types":[{"type":"fact","asked":)" +
         std::to_string(asked) + R"(,"correct":)" + std::to_string(correct) +
         R"(}],"device":"cpu","version":"1"})";
}

// The first trials of a longer series are the shorter one: added up they would count twice.
TEST_F(SweepFiles, OfACellMeasuredWithFewerTrialsTooTheMostCount) {
  const std::string more = passkeyRecord(7, 8) + "\n" + questionRecord(20, 24) + "\n";
  const std::string fewer = passkeyRecord(1, 2) + "\n" + questionRecord(3, 6) + "\n";
  for (const auto& text : {more + fewer, fewer + more}) {
    const auto records = readSweepRecords({file("a.jsonl", std::string(kHeader) + "\n" + text)});
    ASSERT_TRUE(records) << records.error().message;
    ASSERT_EQ(records->passkey.size(), 1U);
    EXPECT_EQ(records->passkey[0].trials, 8);
    EXPECT_EQ(records->passkey[0].found, 7);
    ASSERT_EQ(records->questions.size(), 1U);
    EXPECT_EQ(records->questions[0].asked, 24);
    EXPECT_EQ(records->questions[0].correct, 20);
    ASSERT_EQ(records->notices.size(), 1U);
    EXPECT_EQ(records->notices[0],
              "2 cells were measured with fewer trials as well, those with the most count");
  }
}

TEST_F(SweepFiles, SaysThatCellsAreOfSeveralDevices) {
  std::string onGpu = record("pi:factor=2", "[[2.0]]");
  const std::string device = R"("device":"cpu")";
  ASSERT_NE(onGpu.find(device), std::string::npos);
  onGpu.replace(onGpu.find(device), device.size(), R"("device":"cuda:0")");
  const auto path = file(
      "a.jsonl", std::string(kHeader) + "\n" + record("none", "[[3.0]]") + "\n" + onGpu + "\n");
  const auto records = readSweepRecords({path});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->notices.size(), 1U);
  EXPECT_THAT(records->notices[0], HasSubstr("measured on cpu and cuda:0"));
}

// Cells of a calibration that was trained anew: those of the old one must not be averaged in.
TEST_F(SweepFiles, OfAChangedFileOnlyTheLastContentCounts) {
  std::string otherBook = record("x", "[[9.0]]", "old");
  otherBook.replace(otherBook.find("\"book\":\"a\""), 10, "\"book\":\"b\"");
  const auto path =
      file("a.jsonl", std::string(kHeader) + "\n" + record("x", "[[3.0]]", "old") + "\n" +
                          otherBook + "\n" + record("x", "[[2.0]]", "new") + "\n");
  const auto records = readSweepRecords({path});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->perplexity.size(), 1U);
  EXPECT_EQ(records->perplexity[0].book, "a");
  EXPECT_EQ(records->perplexity[0].losses[0][0], 2.0);
  ASSERT_EQ(records->notices.size(), 2U);
  EXPECT_THAT(records->notices[1],
              HasSubstr("1 cell of x are of an earlier content of its file and left out"));
}

TEST_F(SweepFiles, OfAChangedBookOnlyTheLastContentCounts) {
  std::string changed = record("y", "[[2.0]]");
  changed.replace(changed.find("0a"), 2, "0b");
  const auto path =
      file("a.jsonl", std::string(kHeader) + "\n" + record("x", "[[3.0]]") + "\n" + changed + "\n");
  const auto records = readSweepRecords({path});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->perplexity.size(), 1U);
  EXPECT_EQ(records->perplexity[0].setting.label, "y");
  ASSERT_EQ(records->notices.size(), 1U);
  EXPECT_THAT(records->notices[0], HasSubstr("1 cell of a"));
}

// As psc train --json writes it; several one behind the other.
TEST_F(SweepFiles, ReadsTrainings) {
  const std::string training = R"({
 "settings": {"command":"psc train","dtype":"bfloat16","device":"cpu","seed":2,"context":4096,
   "steps":12,
   "rope":{"method":"pi","factor":4.0},"corpus":["books/a.txt","books/b.txt"],
   "training":{"LoRA rank":"8","LoRA alpha":"16","phase modules":"off","rate":"0.001",
     "init":"none"}},
 "losses": [5.0,4.0,3.0,3.0,3.0,3.0,3.0,3.0,3.0,3.0,3.0,1.0],
 "steps_done": 12, "parameters": 122880, "tokens_per_step": 8192, "training_seconds": 90.0,
 "out": "build/pi-4x-lora-seed2.safetensors", "end": "finished"
}
)";
  std::string other = training;
  other.replace(other.find("seed2.safe"), 5, "seed9");
  const auto records = readSweepRecords({file("t.json", training + other)});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->trainings.size(), 2U);
  const TrainingRecord& first = records->trainings[0];
  EXPECT_EQ(first.name, "pi-4x-lora-seed2");
  EXPECT_EQ(first.firstLoss, 5.0);
  EXPECT_NEAR(first.lastLoss, (9 * 3.0 + 1.0) / 10.0, kRounding);
  const std::string text = trainingSection(records->trainings);
  EXPECT_THAT(text, HasSubstr("| pi-4x-lora-seed2 | 12 | 98,304 | 1.5 | 5.0000 | 2.8000 |\n"));
  EXPECT_THAT(text, HasSubstr("The same for all runs: method pi, factor 4, context 4,096, seed 2, "
                              "modules LoRA r8, parameters 122,880, alpha 16, rate 0.001, start "
                              "none, corpus 2 files, dtype bfloat16, device cpu."));
  EXPECT_THAT(text, HasSubstr("2 runs, 3.0 minutes together"));
  EXPECT_THAT(text, HasSubstr("saw the same windows in the same order"));
}

// As longrope search --json writes its judgement; -0.02 +- 0.004 nats are five errors.
TEST_F(SweepFiles, ReadsSearches) {
  const auto records = readSweepRecords({file("s.json", R"({
 "settings": {"command":"longrope search","dtype":"bfloat16","out":"f/longrope-4x.json"},
 "evaluations": 300,
 "judge": {"length":4096,"windows":40,"books":4,"found":{"perplexity":30.0},"methods":[
  {"method":"pi","perplexity":31.0,"found_minus_method":-0.02,"difference_standard_error":0.004},
  {"method":"yarn","perplexity":29.9,"found_minus_method":0.003,"difference_standard_error":0.002}]}
})")});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->searches.size(), 2U);
  const std::string text = searchSection(records->searches);
  EXPECT_THAT(text, HasSubstr("| longrope-4x | 4,096 | 300 | pi | 30.00 | 31.00 | -0.0200 ± 0.0040 "
                              "| better by 5.0 standard errors | 40 | 4 | bfloat16 |"));
  EXPECT_THAT(text, HasSubstr("no clear difference (1.5 standard errors)"));
}

TEST_F(SweepFiles, RefusesWhatDoesNotBelongTogether) {
  const auto good = file("good.jsonl", std::string(kHeader) + "\n" + record("x", "[[3.0]]") + "\n");
  const auto other = file(
      "other.jsonl", R"({"ropescope_results":1,"settings":{"kind":"sweep","dtype":"bfloat16"}})"
                     "\n");
  expectError(readSweepRecords({good, other}), ErrorCode::InvalidArgument,
              {"other.jsonl", "float32", "one report for each"});
  expectError(readSweepRecords({file("p.json", R"({"settings":{"command":"perplexity"}})")}),
              ErrorCode::InvalidArgument, {"p.json", "'perplexity'", "psc train"});
  expectError(readSweepRecords(
                  {file("k.jsonl", R"({"ropescope_results":1,"settings":{"command":"passkey"}})"
                                   "\n")}),
              ErrorCode::InvalidArgument, {"k.jsonl", "'passkey'"});
  expectError(readSweepRecords({file(
                  "b.jsonl", std::string(kHeader) + "\n" + record("x", "[[3.0, 1.0]]") + "\n")}),
              ErrorCode::CorruptFile, {"b.jsonl", "2 losses for 1 bins"});
  expectError(readSweepRecords({file("m.jsonl", std::string(kHeader) + "\n{\"key\":{}}\n")}),
              ErrorCode::CorruptFile, {"m.jsonl", "'base'"});
  expectError(readSweepRecords({file("t.json", R"({"settings":{"command":"psc train"}})")}),
              ErrorCode::CorruptFile, {"t.json", "psc train", "training"});
  expectError(readSweepRecords({file("x.json", "{\"settings\": ")}), ErrorCode::CorruptFile,
              {"x.json", "no JSON"});
  expectError(readSweepRecords({temp.path() / "none.jsonl"}), ErrorCode::NotFound, {"none.jsonl"});
}

}  // namespace
}  // namespace ropescope
