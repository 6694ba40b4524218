// contributions: numbers that sum to the score, other methods beside it, refusals. gate: its
// limits.
#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::HasSubstr;

// The sum of float32 contents in double against float32 attention.
constexpr double kSum = 1e-5;

std::vector<std::string> contributionCall(const fs::path& document) {
  return {"contributions",
          "--model",
          stories().string(),
          "--document",
          document.string(),
          "--layer",
          "0",
          "--head",
          "5",
          "--query",
          "70",
          "--key",
          "12",
          "--rope",
          "pi",
          "--factor",
          "2",
          "--against",
          "none;yarn:factor=2",
          "--distances",
          "0,58,200",
          "--context",
          "1024"};
}

fs::path story(const TempDir& folder) {
  std::string text;
  for (int i = 0; i < 12; ++i) text += "Once upon a time there was a little girl named Lily. ";
  writeText(folder.path() / "story.txt", text);
  return folder.path() / "story.txt";
}

TEST(Contributions, SumToTheScoreUnderEveryMethod) {
  const TempDir folder;
  const Json json = result(contributionCall(story(folder)));
  EXPECT_EQ(json.at("query").at("position"), 70);
  EXPECT_EQ(json.at("key").at("position"), 12);
  EXPECT_TRUE(json.at("key").at("piece").is_string());
  double sum = 0.0;
  for (const Json& pair : json.at("pairs")) sum += pair.at("contribution").get<double>();
  EXPECT_NEAR(sum, json.at("score").get<double>(), kSum);
  EXPECT_NEAR(json.at("weight").get<double>(),
              std::exp(json.at("score").get<double>() - json.at("log_sum_exp").get<double>()),
              1e-12);
  EXPECT_NEAR(json.at("score_at").at(1).at("score").get<double>(), sum, kSum);  // 58 apart
  ASSERT_EQ(json.at("others").size(), 2U);
  for (const Json& other : json.at("others")) {
    EXPECT_TRUE(other.at("exact").get<bool>());
    double total = 0.0;
    for (const Json& share : other.at("contributions")) total += share.get<double>();
    EXPECT_NEAR(total, other.at("score").get<double>(), kSum);
    EXPECT_NEAR(total, other.at("score_at").at(1).at("score").get<double>(), kSum);
    EXPECT_GT(std::abs(total - sum), 1e-3) << other.at("method");
  }
  // In layer 0 another method's numbers are those of a call under it.
  auto call = contributionCall(story(folder));
  *std::find(call.begin(), call.end(), "pi") = "yarn";
  const Json yarn = result(call);
  EXPECT_NEAR(yarn.at("score").get<double>(), json.at("others").at(1).at("score").get<double>(),
              kSum);
  EXPECT_NEAR(yarn.at("weight").get<double>(), json.at("others").at(1).at("weight").get<double>(),
              kSum);
}

TEST(Contributions, ArePrintedAsATable) {
  const TempDir folder;
  const Outcome outcome = run(contributionCall(story(folder)));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  for (const char* part :
       {"sum = score", "log-sum-exp", "weight", "yarn:factor=2", "58 tokens apart"}) {
    EXPECT_THAT(outcome.out, HasSubstr(part));
  }
}

TEST(Contributions, RefuseTokensThatAreNotThere) {
  const TempDir folder;
  const auto refused = [&](const char* option, const char* value, const std::string& part) {
    auto call = contributionCall(story(folder));
    *(std::find(call.begin(), call.end(), option) + 1) = value;
    const Outcome outcome = run(call);
    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.err, HasSubstr(part));
  };
  refused("--query", "9000", "--query 9000");
  refused("--key", "71", "sees only itself and earlier ones");
  refused("--head", "8", "--head is 8");
  refused("--against", "yran", "yran");
  refused("--distances", "-1", "token counts from 0");
}

std::vector<std::string> gateCall(const fs::path& document) {
  const fs::path file = bookworm().parent_path().parent_path() /
                        "calibrations/bookworm-11m/pi-4x-psc-seed0.safetensors";
  return {"gate",     "--document", document.string(), "--layer",     "2",          "--rope", "pi",
          "--factor", "4",          "--calibration",   file.string(), "--position", "60"};
}

TEST(Gate, GivesGatesAndTurnsOfEveryHead) {
  const TempDir folder;
  const Json json = result(gateCall(story(folder)));
  EXPECT_EQ(json.at("settings").at("position"), 60);
  EXPECT_EQ(json.at("sample").at("stride"), 1);
  double widest = 0.0;
  for (const char* side : {"q", "k"}) {
    ASSERT_FALSE(json.at(side).empty());
    for (const Json& head : json.at(side)) {
      EXPECT_EQ(head.at("gates").size(), 2 * head.at("turns_degrees").size());
      for (const Json& gate : head.at("gates")) {
        EXPECT_GT(gate.get<double>(), 0.5);
        EXPECT_LT(gate.get<double>(), 1.5);
        widest = std::max(widest, std::abs(gate.get<double>() - 1.0));
      }
      for (const Json& turn : head.at("turns_degrees")) {
        EXPECT_LT(std::abs(turn.get<double>()), 30.0);
      }
      EXPECT_LE(head.at("spread").at("all").at("p05"), head.at("spread").at("all").at("p95"));
    }
  }
  EXPECT_GT(widest, 0.01) << "a trained calibration moves its gates";
}

TEST(Gate, IsIdentityAtStrengthZero) {
  const TempDir folder;
  auto call = gateCall(story(folder));
  call.insert(call.end(), {"--psc-strength", "0"});
  const Json json = result(call);
  for (const Json& gate : json.at("q").at(0).at("gates")) EXPECT_EQ(gate, 1.0);
}

TEST(Gate, WantsACalibrationAndAPosition) {
  const TempDir folder;
  auto call = gateCall(story(folder));
  *(std::find(call.begin(), call.end(), "--position") + 1) = "5000";
  EXPECT_THAT(run(call).err, HasSubstr("position 5000"));
  const Outcome without = run({"gate", "--document", story(folder).string(), "--layer", "2"});
  EXPECT_NE(without.status, 0);
  EXPECT_THAT(without.err, HasSubstr("--calibration"));
}

}  // namespace
}  // namespace ropescope::cli_tests
