// Values at and beyond the limits, damaged files, and what stays of a run that failed late.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::HasSubstr;
using testing::Not;

void expectSentence(std::vector<std::string> arguments, int status, const std::string& sentence) {
  const Outcome outcome = run(arguments);
  const std::string called = testing::PrintToString(arguments);
  EXPECT_EQ(outcome.status, status) << called << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr(sentence)) << called;
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Limits, OfNumbersAreSaidBeforeAnyWork) {
  const std::string most = std::to_string(INT64_MAX);
  expectSentence({"generate", "--prompt", "a", "--max-new-tokens", most}, 2, "at most 67108864");
  expectSentence({"angles", "--context", most}, 2, "at most 67108864");
  expectSentence({"angles", "--position", most}, 2, "at most 67108863");
  expectSentence({"angles", "--factor", "1e300"}, 2, "a number up to 67108864");
  expectSentence({"angles", "--rope", "yarn", "--factor", "67108864"}, 1, "that can be planned");
  expectSentence({"attention", "--document", "a", "--layer", "0", "--head", "0", "--size", "9000"},
                 2, "at most 8192");
}

TEST(Limits, RepeatedSettingsAreRefused) {
  const std::vector<std::string> call = {"perplexity", "--document", sample().string()};
  const auto with = [&](const std::vector<std::string>& more) {
    auto arguments = call;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  expectSentence(with({"--rope-param", "beta_fast=1", "--rope-param", "beta_fast=2"}), 2,
                 "beta_fast is given twice");
  expectSentence(with({"--rope-param", "factor=4"}), 2, "use --factor 4");
  expectSentence(with({"--json", "x.out", "--csv", "./x.out"}), 2, "both name");
}

// Written into a file of that name, the result would look lost.
TEST(Limits, OnlyTheJsonResultGoesToStandardOutput) {
  const std::string document = sample().string();
  expectSentence({"perplexity", "--document", document, "--csv", "-"}, 2,
                 "--csv names a file; only --json - writes to standard output");
  expectSentence({"perplexity", "--document", document, "--wide-csv", "-"}, 2, "--wide-csv names");
  expectSentence({"render", "--out", "-"}, 2, "--out names");
}

TEST(Limits, PositionsBeyondTheDefaultPlanWidenIt) {
  const Json json = result({"angles", "--rope", "yarn", "--position", "4095"});
  EXPECT_EQ(json.at("settings").at("context"), 4096);
  EXPECT_EQ(json.at("settings").at("rope").at("factor"), 4.0);
  const Json given =
      result({"angles", "--rope", "yarn", "--position", "4095", "--context", "2048"});
  EXPECT_EQ(given.at("settings").at("context"), 2048);
  const Json none = result({"angles", "--rope", "none", "--factor", "4"});
  EXPECT_EQ(none.at("settings").at("context"), 1024);
}

TEST(Damaged, DeeplyNestedIdsAreRefused) {
  const TempDir folder;
  const auto ids = folder.path() / "deep.json";
  for (const std::string& text :
       {repeated("[", 200000), repeated("[", 200000) + repeated("]", 200000)}) {
    writeText(ids, text);
    expectSentence({"score", "--tokens", ids.string()}, 1, "deep.json");
  }
  writeText(ids, "[1, " + repeated("[", 60) + repeated("]", 60) + "]");
  expectSentence({"score", "--tokens", ids.string()}, 1, "item 1 is a list of 1");
}

TEST(Damaged, ATokenizerThatCannotBeReadIsExplained) {
  const TempDir folder;
  const auto model = folder.path() / "model";
  fs::copy(stories(), model);
  writeText(model / "tokenizer.model", "not a tokenizer");
  const auto ids = folder.path() / "ids.json";
  writeText(ids, "[1, 403, 407]");
  const Json score = result({"score", "--model", model.string(), "--tokens", ids.string()});
  EXPECT_THAT(score.at("notices").dump(), HasSubstr("tokenizer.model"));
  const Json inspect = result({"inspect", "--model", model.string()});
  EXPECT_EQ(inspect.at("tokenizer"), false);
  EXPECT_THAT(inspect.at("tokenizer_error").get<std::string>(), HasSubstr("tokenizer.model"));
}

TEST(Outputs, InAFolderThatTakesNoFileFailBeforeTheWork) {
  const Outcome outcome = run({"tokenize", "--text", "a", "--json", "/proc/x.json"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("/proc/x.json cannot be written"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("1 token")));
}

TEST(Outputs, MeasuredCurvesSurviveACsvThatCannotBeWritten) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full to play a full disk";
  const Outcome outcome = run({"perplexity", "--document", sample().string(), "--lengths", "64",
                               "--methods", "none", "--csv", "/dev/full", "--json", "-"});
  EXPECT_EQ(outcome.status, 1);
  const Json json = Json::parse(outcome.out);
  EXPECT_THAT(json.at("error").at("message").get<std::string>(), HasSubstr("free some space"));
  ASSERT_EQ(json.at("curves").size(), 1U);
  EXPECT_EQ(json.at("curves").at(0).at("points").size(), 1U);
}

TEST(Settings, NameFilesWithTheirHashesAndWhereTheRotationComesFrom) {
  const TempDir folder;
  const auto text = folder.path() / "abc.txt";
  writeText(text, "abc");
  const std::string sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const Json score = result({"score", "--document", text.string(), "--factor", "2"});
  EXPECT_EQ(score.at("settings").at("document_sha256"), sha256);
  EXPECT_EQ(score.at("settings").at("rope").at("from"), "model config");  // plain takes no factor
  const Json yarn =
      result({"score", "--document", text.string(), "--rope", "yarn", "--factor", "2"});
  EXPECT_EQ(yarn.at("settings").at("rope").at("from"), "--rope, --factor");

  const Json curves = result({"perplexity", "--document", sample().string(), "--lengths", "64,128",
                              "--methods", "yarn:factor=4;dynamic"});
  EXPECT_EQ(curves.at("settings").at("documents").at(0).at("sha256").get<std::string>().size(),
            64U);
  const Json& settings = curves.at("curves").at(0).at("settings");
  EXPECT_EQ(settings.at("context"), 128);
  EXPECT_EQ(settings.at("trained_length"), 1024);
  EXPECT_EQ(settings.at("base"), 1e4);
  EXPECT_GT(settings.at("chunk"), 0);
  EXPECT_GT(settings.at("attention_factor"), 1.0);
  ASSERT_EQ(settings.at("plans").size(), 2U);
  EXPECT_EQ(settings.at("plans").at(0).at("planned_length"), 128);  // one pass for both
}

TEST(Interrupt, LeavesEveryFieldOfTheContract) {
  const TempDir folder;
  const auto file = folder.path() / "partial.json";
  const Outcome outcome = run(
      Call{.arguments = {"ask", "--document", sample().string(), "--document-tokens", "0:200",
                         "--question", "Who is Jack?", "--question", "Where?", "--max-new-tokens",
                         "20000", "--temperature", "5", "--json", file.string()},
           .interruptAfter = "Q: Who is Jack?"});
  EXPECT_EQ(outcome.status, 130) << outcome.err;
  const Json json = Json::parse(fileText(file));
  ASSERT_EQ(json.at("answers").size(), 2U);
  EXPECT_EQ(json.at("answers").at(1).at("question"), "Where?");
  EXPECT_EQ(json.at("answers").at(1).at("finish_reason"), "stopped");
  EXPECT_EQ(json.at("answers").at(1).at("text"), "");
  EXPECT_EQ(json.at("answers").at(1).at("token_ids").size(), 0U);
}

TEST(Interrupt, PadsLossesThatWereNotReached) {
  const TempDir folder;
  const auto file = folder.path() / "partial.json";
  const Outcome outcome = run(Call{.arguments = {"score", "--document", sample().string(),
                                                 "--threads", "1", "--json", file.string()},
                                   .interruptAfter = "planned "});
  if (outcome.status == 0) GTEST_SKIP() << "done before the interrupt";
  EXPECT_EQ(outcome.status, 130) << outcome.err;
  const Json json = Json::parse(fileText(file));
  EXPECT_EQ(json.at("nll").size(), json.at("tokens").size());
  EXPECT_LT(json.at("scored"), json.at("tokens").size());
  EXPECT_TRUE(json.at("last_logits").is_null());
}

}  // namespace
}  // namespace ropescope::cli_tests
