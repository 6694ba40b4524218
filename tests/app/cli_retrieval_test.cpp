// passkey, needle, questions: results, resumption, refusals.
#include <algorithm>
#include <csignal>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::HasSubstr;

fs::path longSample() {
  return fs::path(ROPESCOPE_RESOURCES_DIR) / "samples" / "02-boat-race.txt";
}

std::vector<std::string> with(std::vector<std::string> arguments,
                              const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// Found keys of one method at one length, over all depths.
int foundAt(const Json& json, const std::string& method, int length) {
  int found = 0;
  for (const Json& cell : json.at("cells")) {
    if (cell.at("method") == method && cell.at("length") == length) {
      found += cell.at("found").get<int>();
    }
  }
  return found;
}

long linesOf(const fs::path& path) {
  const std::string text = fileText(path);
  return std::count(text.begin(), text.end(), '\n');
}

// Line `number` of a result file; 0 has the settings.
Json recordOf(const fs::path& path, int number) {
  std::istringstream text(fileText(path));
  std::string line;
  for (int i = 0; i <= number; ++i) std::getline(text, line);
  return Json::parse(line);
}

// Small and quick: the model of the tests under YaRN's prompt.
std::vector<std::string> storiesPasskey(const fs::path& out) {
  return {"passkey", "--model",   stories().string(), "--lengths",
          "200,300", "--depths",  "0,0.5,1",          "--trials",
          "2",       "--methods", "none;pi:factor=2", "--threads",
          "1",       "--out",     out.string()};
}

TEST(Passkey, IsFoundBeyondTheTrainedLengthOnlyWithScaling) {
  const TempDir folder;
  const auto out = folder.path() / "cells.jsonl";
  const auto csv = folder.path() / "cells.csv";
  const Json json =
      result({"passkey", "--document", longSample().string(), "--lengths", "2048,1024", "--depths",
              "1,0,0.5", "--trials", "2", "--methods", "none;yarn:factor=2", "--dtype", "bfloat16",
              "--out", out.string(), "--csv", csv.string()});
  // All of 6 at the trained length and with YaRN at twice of it, none of 6 without, when this was
  // written; other processors round bfloat16 sums in another order.
  EXPECT_GE(foundAt(json, "none", 1024), 4);
  EXPECT_GE(foundAt(json, "yarn:factor=2", 2048), 4);
  EXPECT_LE(foundAt(json, "none", 2048), 1);

  ASSERT_EQ(json.at("cells").size(), 12U);
  const Json& first = json.at("cells").at(0);
  EXPECT_EQ(first.at("method"), "none");
  EXPECT_EQ(first.at("length"), 1024);
  EXPECT_EQ(first.at("depth"), 0.0);
  EXPECT_EQ(first.at("trials"), 2);
  ASSERT_EQ(json.at("effective_context").size(), 2U);
  EXPECT_EQ(json.at("effective_context").at(1).at("method"), "yarn:factor=2");
  EXPECT_TRUE(json.at("effective_context").at(0).contains("length"));
  const Json& settings = json.at("settings");
  EXPECT_EQ(settings.at("recipe"), "bookworm");  // the model's own format and a document are there
  EXPECT_EQ(settings.at("threshold"), 1.0);
  EXPECT_EQ(settings.at("lengths"), Json({1024, 2048}));
  EXPECT_EQ(settings.at("depths"), Json({0.0, 0.5, 1.0}));
  EXPECT_EQ(settings.at("methods").at(1).at("factor"), 2.0);
  EXPECT_EQ(json.at("resumed"), 0);
  // One line for the settings and one for each cell; the CSV has a head.
  EXPECT_EQ(linesOf(out), 13);
  EXPECT_EQ(linesOf(csv), 13);
  EXPECT_THAT(fileText(out), HasSubstr(json.at("model").at("hash").get<std::string>()));
}

TEST(Passkey, GoesOnAfterAKillWithTheSameCells) {
  const TempDir folder;
  const auto whole = folder.path() / "whole.jsonl";
  const auto killed = folder.path() / "killed.jsonl";
  const Json first = result(storiesPasskey(whole));
  const Outcome outcome = run(Call{.arguments = storiesPasskey(killed),
                                   .interruptWhen = [&] { return linesOf(killed) >= 3; },
                                   .interruptSignal = SIGKILL});
  ASSERT_EQ(outcome.status, 128 + SIGKILL);
  const long before = linesOf(killed);
  ASSERT_GE(before, 3);
  ASSERT_LT(before, 13);
  // As if the kill had hit the middle of a line.
  writeText(killed, fileText(killed) + "{\"method\":\"no");
  const Json resumed = result(with(storiesPasskey(killed), {"--resume"}));
  EXPECT_EQ(resumed.at("resumed"), before - 1);
  EXPECT_THAT(resumed.at("notices").dump(), HasSubstr("cut off"));
  EXPECT_EQ(fileText(killed), fileText(whole));
  EXPECT_EQ(resumed.at("cells"), first.at("cells"));
  EXPECT_EQ(resumed.at("effective_context"), first.at("effective_context"));
  // Nothing is left to do.
  const Json again = result(with(storiesPasskey(killed), {"--resume"}));
  EXPECT_EQ(again.at("resumed"), 12);
  EXPECT_EQ(again.at("cells"), first.at("cells"));
}

TEST(Passkey, WritesWhatItHasWhenItIsInterrupted) {
  const TempDir folder;
  const auto out = folder.path() / "cells.jsonl";
  const auto json = folder.path() / "result.json";
  const Outcome outcome =
      run(Call{.arguments = with(storiesPasskey(out), {"--json", json.string()}),
               .interruptWhen = [&] { return linesOf(out) >= 3; }});
  ASSERT_EQ(outcome.status, 130) << outcome.err;
  const Json object = Json::parse(fileText(json));
  EXPECT_TRUE(object.at("interrupted").get<bool>());
  EXPECT_EQ(static_cast<long>(object.at("cells").size()), linesOf(out) - 1);
}

TEST(Passkey, ResumesOnlyUnderTheSameSettingsAndModel) {
  const TempDir folder;
  const auto out = folder.path() / "cells.jsonl";
  auto call = storiesPasskey(out);
  std::replace(call.begin(), call.end(), std::string("0,0.5,1"), std::string("1"));
  result(call);
  const std::string before = fileText(out);
  const Outcome again = run(call);
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("holds 4 results already; add --resume"));
  std::replace(call.begin(), call.end(), std::string("2"), std::string("3"));
  const Outcome other = run(with(call, {"--resume"}));
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("'trials' 2 where this call has 3"));
  std::replace(call.begin(), call.end(), std::string("3"), std::string("2"));
  std::replace(call.begin(), call.end(), stories().string(), bookworm().string());
  const Outcome model = run(with(call, {"--resume"}));
  EXPECT_EQ(model.status, 1);
  EXPECT_THAT(model.err, HasSubstr("'model_hash'"));
  EXPECT_EQ(fileText(out), before);
}

TEST(Passkey, ChoosesItsRecipeAndSaysSo) {
  const TempDir folder;
  const auto passkey = [&](const std::vector<std::string>& more) {
    return with({"passkey", "--lengths", "256", "--depths", "0", "--trials", "1", "--dtype",
                 "bfloat16", "--out", (folder.path() / "out.jsonl").string()},
                more);
  };
  const Json plain = result(passkey({}));
  EXPECT_EQ(plain.at("settings").at("recipe"), "yarn");
  EXPECT_EQ(plain.at("settings").at("recipe_chosen_by"), "default");
  fs::remove(folder.path() / "out.jsonl");
  const Json pi = result(passkey({"--recipe", "pi"}));
  EXPECT_EQ(pi.at("settings").at("recipe_chosen_by"), "--recipe");
  EXPECT_EQ(pi.at("settings").at("threshold"), 0.2);
  fs::remove(folder.path() / "out.jsonl");
  for (const auto& [more, wanted] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--recipe", "yarn", "--document", sample().string()}, "takes no --document"},
           {{"--recipe", "bookworm"}, "add --document"},
           {{"--methods", "none;none"}, "twice"}}) {
    const Outcome refused = run(passkey(more));
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr(wanted));
    EXPECT_FALSE(fs::exists(folder.path() / "out.jsonl")) << wanted;
  }
  const Outcome tooShort =
      run({"passkey", "--lengths", "50", "--out", (folder.path() / "out.jsonl").string()});
  EXPECT_EQ(tooShort.status, 1);
  EXPECT_THAT(tooShort.err, HasSubstr("give lengths from 83 up"));  // counted by Python's tokenizer
}

TEST(Needle, AsksForTheOwnSentenceInTheOwnDocument) {
  const TempDir folder;
  const auto out = folder.path() / "needle.jsonl";
  const std::vector<std::string> call = {"needle",
                                         "--document",
                                         sample().string(),
                                         "--needle",
                                         "Rose Winter was born in Vienna.",
                                         "--question",
                                         "Where was Rose Winter born?",
                                         "--answer",
                                         "Vienna",
                                         "--lengths",
                                         "512",
                                         "--depths",
                                         "0.25,0.75",
                                         "--trials",
                                         "2",
                                         "--dtype",
                                         "bfloat16",
                                         "--out",
                                         out.string()};
  const Json json = result(call);
  ASSERT_EQ(json.at("cells").size(), 2U);
  int contained = 0;
  for (const Json& cell : json.at("cells")) {
    EXPECT_EQ(cell.at("method"), "none");
    EXPECT_LE(cell.at("found").get<int>(), cell.at("contained").get<int>());
    contained += cell.at("contained").get<int>();
  }
  EXPECT_GE(contained, 3);  // 4 of 4 when this was written
  EXPECT_EQ(json.at("settings").at("needle"), "Rose Winter was born in Vienna.");
  const Json record = recordOf(out, 1);
  EXPECT_EQ(record.at("answers").at(0).at("expected"), "Vienna");
  EXPECT_GT(record.at("answers").at(0).at("needle_at").get<int>(), 50);
  const Outcome two = run(with(call, {"--question", "Who?", "--resume"}));
  EXPECT_EQ(two.status, 1);
  EXPECT_THAT(two.err, HasSubstr("one question"));
}

TEST(Questions, GiveSharesByTypeWithTheirInterval) {
  const TempDir folder;
  const auto out = folder.path() / "questions.jsonl";
  const std::vector<std::string> call = {
      "questions", "--document", sample().string(), longSample().string(),
      "--lengths", "512",        "--types",         "fact,quote",
      "--count",   "6",          "--methods",       "none;pi:factor=8",
      "--dtype",   "bfloat16",   "--out",           out.string()};
  const Json json = result(call);
  ASSERT_EQ(json.at("accuracy").size(), 4U);
  for (const Json& each : json.at("accuracy")) {
    EXPECT_EQ(each.at("asked"), 6);
    EXPECT_LE(each.at("low"), each.at("share"));
    EXPECT_GE(each.at("high"), each.at("share"));
  }
  EXPECT_EQ(json.at("accuracy").at(0).at("type"), "fact");
  EXPECT_EQ(json.at("accuracy").at(1).at("type"), "quote");
  EXPECT_EQ(json.at("accuracy").at(2).at("method"), "pi:factor=8");
  // The model card: 100 of 143 facts at 1,024 tokens; PI by 8 without training: none of 57 at 2.
  EXPECT_GE(json.at("accuracy").at(0).at("correct").get<int>(), 3);
  EXPECT_LE(json.at("accuracy").at(2).at("correct").get<int>(), 1);
  EXPECT_EQ(json.at("settings").at("documents").size(), 2U);
  const std::string before = fileText(out);
  const Json again = result(with(call, {"--resume"}));
  EXPECT_EQ(again.at("accuracy"), json.at("accuracy"));
  EXPECT_EQ(fileText(out), before);
}

TEST(Retrieval, RefusesOptionsThatMakeNoSense) {
  const TempDir folder;
  const std::string out = (folder.path() / "out.jsonl").string();
  const std::vector<std::string> passkey = {"passkey", "--lengths", "256", "--out", out};
  for (const auto& [more, wanted] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--depths", "0,2"}, "fractions from 0"},
           {{"--depths", ""}, "fractions from 0"},
           {{"--recipe", "landmark"}, "yarn, pi, longrope, bookworm"},
           {{"--threshold", "0"}, "above 0"},
           {{"--trials", "0"}, "at least 1"},
           {{"--context", "512"}, "no use for --context"},
           {{"--json", out}, "give each its own file"}}) {
    const Outcome refused = run(with(passkey, more));
    EXPECT_EQ(refused.status, 2) << wanted;
    EXPECT_THAT(refused.err, HasSubstr(wanted));
  }
  const Outcome types = run({"questions", "--document", sample().string(), "--lengths", "512",
                             "--out", out, "--types", "riddle"});
  EXPECT_EQ(types.status, 2);
  EXPECT_THAT(types.err, HasSubstr("fact,word,quote,sentence"));
  const Outcome missing = run({"passkey", "--lengths", "256"});
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.err, HasSubstr("needs --out"));
  const Outcome empty =
      run({"needle", "--document", sample().string(), "--needle", " ", "--question", "Q?",
           "--answer", "A", "--lengths", "512", "--out", out});
  EXPECT_EQ(empty.status, 2);
  EXPECT_THAT(empty.err, HasSubstr("some text"));
  EXPECT_FALSE(fs::exists(out));
}

}  // namespace
}  // namespace ropescope::cli_tests
