// longrope search on a real small model: the files it makes, killed runs, what it refuses.
#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr double kRounding = 1e-12;

fs::path excerpt() {
  return fs::path(ROPESCOPE_TESTS_DIR) / "golden" / "inputs" / "excerpt.txt";
}
fs::path otherText() {
  return fs::path(ROPESCOPE_TESTS_DIR) / "golden" / "inputs" / "document_long.txt";
}

class LongropeSearch : public testing::Test {
 protected:
  // One and a half times the trained length of 512 tokens, two windows a candidate.
  std::vector<std::string> call(const std::string& out, std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"longrope",
                                          "search",
                                          "--model",
                                          stories().string(),
                                          "--corpus",
                                          excerpt().string(),
                                          "--search-samples",
                                          "2",
                                          "--dtype",
                                          "float32",
                                          "--threads",
                                          "1",
                                          "--out",
                                          (folder.path() / out).string()};
    const bool hasContext = std::find(more.begin(), more.end(), "--context") != more.end();
    if (!hasContext) more.insert(more.end(), {"--context", "768"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string pathOf(const std::string& name) const { return (folder.path() / name).string(); }
  std::string logOf(const std::string& out) const {
    return fileText(folder.path() / (out + ".search.jsonl"));
  }
  // Frequencies of every pair, rad per token.
  std::vector<double> frequencies(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "angles");
    std::vector<double> all;
    const Json angles = result(arguments);
    for (const Json& pair : angles.at("pairs")) {
      all.push_back(pair.at("inv_freq").get<double>());
    }
    return all;
  }
  void expectFrequencies(const std::vector<double>& found, const Json& factors) const {
    ASSERT_EQ(found.size(), 4U);  // stories260K: heads of 8 dimensions
    ASSERT_EQ(factors.size(), 4U);
    for (std::size_t pair = 0; pair < 4; ++pair) {
      const double plain = std::pow(1e4, -static_cast<double>(pair) / 4.0);
      EXPECT_NEAR(found[pair] * factors[pair].get<double>(), plain, kRounding) << pair;
    }
  }

  TempDir folder;
};

TEST_F(LongropeSearch, WritesAColumnThatTheMethodLoads) {
  const Json json = result(call("found.csv", {"--search-variant", "local", "--evaluations", "30"}));
  EXPECT_EQ(json.at("evaluations"), 30);
  EXPECT_EQ(json.at("is_seed"), false);
  EXPECT_EQ(json.at("unscaled_tokens"), 0);
  EXPECT_EQ(json.at("end"), "evaluations");
  EXPECT_TRUE(json.at("judge").is_null());
  double bestSeed = HUGE_VAL;
  for (const char* seed : {"pi", "ntk", "yarn"}) {
    bestSeed = std::min(bestSeed, json.at("seed_losses").at(seed).get<double>());
  }
  EXPECT_LT(json.at("loss").get<double>(), bestSeed);
  const Json& history = json.at("history");
  for (std::size_t i = 1; i < history.size(); ++i) {
    EXPECT_LT(history[i].at("loss").get<double>(), history[i - 1].at("loss").get<double>());
  }
  EXPECT_EQ(history.back().at("loss"), json.at("loss"));
  EXPECT_EQ(json.at("settings").at("search_samples").size(), 2U);
  expectFrequencies(frequencies({"--model", stories().string(), "--context", "768", "--rope",
                                 "longrope", "--rope-param", "factors=" + pathOf("found.csv")}),
                    json.at("factors"));
}

TEST_F(LongropeSearch, WritesABlockThatAConfigCanHold) {
  const Json json = result(call(
      "found.json", {"--search-variant", "local", "--evaluations", "60", "--search-unscaled"}));
  const Json block = Json::parse(fileText(folder.path() / "found.json"));
  const Json& rope = block.at("rope_parameters");
  EXPECT_EQ(rope.at("rope_type"), "longrope");
  EXPECT_EQ(rope.at("factor"), 1.5);
  EXPECT_EQ(rope.at("original_max_position_embeddings"), 512);
  EXPECT_EQ(rope.at("long_factor"), json.at("factors"));
  EXPECT_EQ(rope.at("short_factor"), Json({1.0, 1.0, 1.0, 1.0}));
  EXPECT_EQ(rope.value("n_hat", 0), json.at("unscaled_tokens").get<int>());

  const fs::path model = folder.path() / "model";
  fs::copy(stories(), model);
  fs::permissions(model / "config.json", fs::perms::owner_all, fs::perm_options::add);
  Json config = Json::parse(fileText(model / "config.json"));
  config.erase("rope_scaling");
  config.update(block);
  writeText(model / "config.json", config.dump());
  const std::vector<std::string> byConfig = {"--model", model.string(), "--context", "768"};
  expectFrequencies(frequencies(byConfig), json.at("factors"));
  // Both ways give the same losses, n-hat and attention factor included.
  const std::vector<std::string> text = {"score",   "--document", excerpt().string(),
                                         "--dtype", "float32",    "--document-tokens",
                                         "0:700",   "--context",  "768"};
  auto fromConfig = text;
  fromConfig.insert(fromConfig.end(), {"--model", model.string()});
  auto fromFile = text;
  fromFile.insert(fromFile.end(), {"--model", stories().string(), "--rope", "longrope",
                                   "--rope-param", "factors=" + pathOf("found.json")});
  const Json first = result(fromConfig);
  const Json second = result(fromFile);
  EXPECT_EQ(first.at("nll"), second.at("nll"));
  EXPECT_EQ(second.at("settings").at("rope").at("unscaled_tokens"), json.at("unscaled_tokens"));
}

TEST_F(LongropeSearch, KilledAndResumedItMakesTheSameLogAndTheSameFactors) {
  const std::vector<std::string> paper = {"--search-population", "8", "--seed", "3"};
  auto endless = paper;
  endless.insert(endless.end(), {"--evaluations", "100000"});
  const Outcome killed = run(Call{.arguments = call("parts.json", endless),
                                  .interruptAfter = "evaluation 2 of",
                                  .interruptSignal = SIGKILL});
  EXPECT_EQ(killed.status, 128 + SIGKILL);
  EXPECT_FALSE(fs::exists(folder.path() / "parts.json"));
  const std::string before = logOf("parts.json");
  const auto whole = before.substr(0, before.rfind('\n') + 1);
  const auto known = std::count(whole.begin(), whole.end(), '\n') - 1;
  ASSERT_GE(known, 2);
  auto bounded = paper;
  bounded.insert(bounded.end(), {"--evaluations", std::to_string(known + 25)});
  auto resumed = call("parts.json", bounded);
  resumed.push_back("--resume");
  const Json parts = result(resumed);
  const Json once = result(call("whole.json", bounded));
  EXPECT_EQ(parts.at("replayed"), known);
  EXPECT_EQ(once.at("replayed"), 0);
  EXPECT_EQ(logOf("parts.json"), logOf("whole.json"));
  for (const char* field : {"factors", "loss", "history", "best_evaluation", "seed_losses"}) {
    EXPECT_EQ(parts.at(field), once.at(field)) << field;
  }
  EXPECT_EQ(fileText(folder.path() / "parts.json"), fileText(folder.path() / "whole.json"));
}

TEST_F(LongropeSearch, InterruptedItKeepsWhatItFound) {
  const Outcome stopped =
      run(Call{.arguments = call("found.csv", {"--evaluations", "100000", "--search-variant",
                                               "local", "--json", pathOf("result.json")}),
               .interruptAfter = "step from"});
  EXPECT_EQ(stopped.status, 130) << stopped.err;
  const Json json = Json::parse(fileText(folder.path() / "result.json"));
  EXPECT_EQ(json.at("interrupted"), true);
  EXPECT_EQ(json.at("end"), "stopped");
  EXPECT_TRUE(fs::exists(folder.path() / "found.csv"));
  const Json more =
      result(call("found.csv", {"--evaluations", "1", "--search-variant", "local", "--resume"}));
  EXPECT_EQ(more.at("replayed"), json.at("evaluations"));
  EXPECT_EQ(more.at("factors"), json.at("factors"));
}

TEST_F(LongropeSearch, ASeedIsNotHandedBack) {
  const Outcome seeds =
      run(call("found.csv", {"--evaluations", "3", "--json", pathOf("result.json")}));
  EXPECT_EQ(seeds.status, 1);
  EXPECT_THAT(seeds.err, AllOf(HasSubstr("after 3 evaluations the factors of"),
                               HasSubstr("nothing is written"), HasSubstr("--resume")));
  EXPECT_FALSE(fs::exists(folder.path() / "found.csv"));
  const Json json = Json::parse(fileText(folder.path() / "result.json"));
  EXPECT_EQ(json.at("is_seed"), true);
  EXPECT_EQ(json.at("error").at("code"), "not_found");
}

TEST_F(LongropeSearch, JudgesOnBooksThatItDidNotSee) {
  const auto judged = call("found.json", {"--search-variant", "local", "--evaluations", "12",
                                          "--judge", otherText().string()});
  const Json json = result(judged);
  const Json& judge = json.at("judge");
  EXPECT_EQ(judge.at("length"), 768);
  EXPECT_EQ(judge.at("books"), 1);
  ASSERT_EQ(judge.at("methods").size(), 3U);
  const char* names[] = {"pi", "ntk", "yarn"};
  for (std::size_t i = 0; i < 3; ++i) {
    const Json& method = judge.at("methods")[i];
    EXPECT_EQ(method.at("method"), names[i]);
    EXPECT_NEAR(
        method.at("found_minus_method").get<double>(),
        judge.at("found").at("mean_nll").get<double>() - method.at("mean_nll").get<double>(),
        kRounding);
    // One book: no standard error, so no claim.
    EXPECT_TRUE(method.at("difference_standard_error").is_null());
    EXPECT_EQ(method.at("beaten"), false);
  }
  const Outcome text = run(judged);
  EXPECT_EQ(text.status, 1);  // the log is there: no silent second search
  EXPECT_THAT(text.err, HasSubstr("--resume"));
  auto again = judged;
  again.insert(again.end(), {"--resume"});
  const Outcome readable = run(again);
  EXPECT_EQ(readable.status, 0) << readable.err;
  EXPECT_THAT(readable.out, AllOf(HasSubstr("that the search did not see"), HasSubstr("yarn"),
                                  HasSubstr("one book")));
}

// A model whose config names half of its true base turns too fast; the right short factors are
// known: theta'_i / theta_i = 2^(i / 4).
TEST_F(LongropeSearch, ShortFactorsAreFoundAndJoinLongOnes) {
  const fs::path model = folder.path() / "model";
  fs::copy(stories(), model);
  fs::permissions(model / "config.json", fs::perms::owner_all, fs::perm_options::add);
  Json config = Json::parse(fileText(model / "config.json"));
  config["rope_theta"] = 200.0;
  writeText(model / "config.json", config.dump());
  const std::vector<double> longList = {1.0, 1.25, 2.0 / 3.0 + 1.0, 3.0};
  writeText(folder.path() / "long.csv", "1\n1.25\n1.6666666666666665\n3\n");

  auto search = call("both.json", {"--context", "256", "--factor", "8", "--search-variant", "local",
                                   "--evaluations", "50", "--other-factors", pathOf("long.csv"),
                                   "--search-positions", "second-half", "--judge",
                                   otherText().string(), "--judge-windows", "2"});
  std::replace(search.begin(), search.end(), stories().string(), model.string());
  const Json json = result(search);
  const double plain = json.at("seed_losses").at("none").get<double>();
  EXPECT_LT(json.at("loss").get<double>(), plain);
  const auto found = json.at("factors").get<std::vector<double>>();
  // The last pair truly turns once in 6,283 tokens: 256 tokens cannot tell its factor.
  const auto distance = [](const std::vector<double>& factors) {
    double sum = 0.0;
    for (std::size_t pair = 0; pair < 3; ++pair) {
      sum += std::abs(std::log(factors[pair]) - std::log(50.0) * static_cast<double>(pair) / 4.0);
    }
    return sum;
  };
  EXPECT_LT(distance(found), 0.5 * distance({1.0, 1.0, 1.0}));
  const Json rope = Json::parse(fileText(folder.path() / "both.json")).at("rope_parameters");
  EXPECT_EQ(rope.at("long_factor"), Json(longList));
  EXPECT_EQ(rope.at("short_factor"), json.at("factors"));
  EXPECT_EQ(rope.at("rope_theta"), 200.0);
  EXPECT_EQ(json.at("judge").at("methods")[0].at("method"), "none");
  EXPECT_LT(json.at("judge").at("methods")[0].at("found_minus_method").get<double>(), 0.0);
  const std::string factors = "factors=" + pathOf("both.json");
  for (const char* context : {"256", "768"}) {
    expectFrequencies(frequencies({"--model", stories().string(), "--context", context, "--rope",
                                   "longrope", "--rope-param", factors}),
                      context == std::string("256") ? json.at("factors") : Json(longList));
  }
}

TEST_F(LongropeSearch, ScoresNeedlesWhenAsked) {
  const Json json = result(call(
      "found.json", {"--objective", "needle", "--search-variant", "local", "--evaluations", "40"}));
  for (const Json& sample : json.at("settings").at("search_samples")) {
    EXPECT_FALSE(sample.at("answer").get<std::string>().empty());
    EXPECT_GT(sample.at("first_scored").get<int>(), 650);
  }
}

TEST_F(LongropeSearch, OtherSettingsOfAResumedSearchAreNamed) {
  run(call("found.csv", {"--evaluations", "4"}));
  ASSERT_FALSE(logOf("found.csv").empty());
  const auto refused = [&](std::vector<std::string> arguments,
                           const std::vector<std::string>& parts) {
    arguments.push_back("--resume");
    const Outcome outcome = run(call("found.csv", arguments));
    EXPECT_EQ(outcome.status, 1);
    for (const auto& part : parts) EXPECT_THAT(outcome.err, HasSubstr(part));
  };
  refused({"--seed", "4"}, {"found.csv.search.jsonl", "'seed' 0", "4"});
  refused({"--context", "640"}, {"'context' 768", "640"});
  refused({"--search-variant", "local"}, {"'variant' \"paper\"", "\"local\""});
  refused({"--corpus", otherText().string()}, {"'corpus_files' 1", "2"});
}

TEST_F(LongropeSearch, WhatCannotWorkIsRefusedInOneSentence) {
  const auto refused = [&](const std::string& out, const std::vector<std::string>& arguments,
                           const std::vector<std::string>& parts) {
    SCOPED_TRACE(parts.front());
    const Outcome outcome = run(call(out, arguments));
    EXPECT_EQ(outcome.status, 1) << outcome.err;
    for (const auto& part : parts) EXPECT_THAT(outcome.err, HasSubstr(part));
    EXPECT_FALSE(fs::exists(folder.path() / (out + ".search.jsonl")));
  };
  writeText(folder.path() / "short.txt", "Once upon a time.");
  writeText(folder.path() / "three.csv", "1\n1.5\n2\n");
  refused("found.txt", {}, {"found.txt", ".csv", ".json"});
  refused("no/found.csv", {}, {"no/found.csv", "cannot be written"});
  refused("found.csv", {"--search-unscaled"}, {"n-hat", ".json"});
  refused("found.csv", {"--context", "256"}, {"short", ".json"});
  refused("found.csv", {"--factor", "0.5"}, {"factor is 0.5", "1 or larger"});
  refused("found.csv", {"--max-minutes", "0"}, {"--max-minutes is 0", "above 0"});
  refused("found.csv", {"--objective", "needle", "--search-positions", "second-half"},
          {"--search-positions", "needles"});
  refused("found.csv", {"--judge-windows", "3"}, {"--judge-windows", "--judge"});
  refused("found.csv", {"--search-variant", "local", "--search-population", "16"},
          {"--search-population", "local"});
  refused("found.csv", {"--context", "65536"}, {"no text of the corpus is long enough", "65,536"});
  refused("found.json", {"--judge", excerpt().string()}, {"excerpt.txt", "--corpus too"});
  refused("found.json", {"--judge", pathOf("short.txt")}, {"no book is long enough", "768"});
  refused("found.json", {"--other-factors", pathOf("three.csv")},
          {"three.csv", "0 short factors", "4 rotary pairs"});
  refused("found.json", {"--context", "256", "--other-factors", pathOf("three.csv")},
          {"three.csv", "3 long factors", "4 rotary pairs"});
  refused("found.json", {"--context", "256", "--search-variant", "critical"},
          {"critical", "512", "256"});
  EXPECT_EQ(run(call("found.csv", {"--rope", "yarn"})).status, 2);
  EXPECT_EQ(run(call("found.csv", {"--search-variant", "best"})).status, 2);
}

TEST_F(LongropeSearch, AFullDiskLosesNothing) {
  fs::create_symlink("/dev/full", folder.path() / "found.csv");
  const auto search = call("found.csv", {"--search-variant", "local", "--evaluations", "30"});
  const Outcome full = run(search);
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, AllOf(HasSubstr("found.csv"), HasSubstr("free some space")));
  fs::remove(folder.path() / "found.csv");
  auto again = search;
  again.push_back("--resume");
  EXPECT_EQ(result(again).at("replayed"), 30);
  EXPECT_TRUE(fs::exists(folder.path() / "found.csv"));
}

}  // namespace
}  // namespace ropescope::cli_tests
