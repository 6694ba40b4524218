// reads: an answer's sentence is found, and what is refused.
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::HasSubstr;

constexpr double kOneInFloat32 = 1e-4;  // 3,300 weights of up to 36 heads

std::vector<std::string> passKey(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{
      "reads",  "--document", sample().string(), "--question", "What is the pass key?",
      "--rope", "yarn",       "--factor",        "4",          "--context",
      "4096"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(Reads, ThePlantedSentenceOfTheSampleIsWhereTheAnswerWasRead) {
  const Json json = result(passKey({"--keys", "450:461"}));
  EXPECT_THAT(json.at("answer").at("text").get<std::string>(), HasSubstr("48213"));
  const auto weights = json.at("weights").get<std::vector<double>>();
  EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 1.0, kOneInFloat32);
  EXPECT_EQ(json.at("heads").size(), 36U);
  const auto far = json.at("by_distance").get<std::vector<double>>();
  ASSERT_LE(far.size(), weights.size());  // no key stands behind the last query that wrote
  EXPECT_NEAR(std::accumulate(far.begin(), far.end(), 0.0),
              std::accumulate(weights.begin() + 4, weights.end(), 0.0), kOneInFloat32);
  EXPECT_NEAR(json.at("beyond_trained").get<double>(),
              std::accumulate(far.begin() + 1024, far.end(), 0.0), kOneInFloat32);
  EXPECT_GT(json.at("beyond_trained").get<double>(), 0.2);  // the sentence lies 2,800 tokens back
  const Json& first = json.at("sentences").at(0);
  EXPECT_EQ(first.at("text"), "The pass key is 48213.");
  EXPECT_EQ(first.at("tokens"), Json({450, 461}));
  EXPECT_GT(first.at("share").get<double>(), 0.2);  // 0.28 seen; the next sentence has 0.10
  // The two directions agree: the writers of the answer give that sentence what it gets from them.
  const auto readers = json.at("read_by").at("weights").get<std::vector<double>>();
  const auto prompt = json.at("parts").at("answer").at(0).get<std::size_t>();
  const auto written = json.at("answer").at("token_ids").size();
  const double given = std::accumulate(weights.begin() + 450, weights.begin() + 461, 0.0);
  const double taken =
      std::accumulate(readers.begin() + static_cast<std::ptrdiff_t>(prompt - 1),
                      readers.begin() + static_cast<std::ptrdiff_t>(prompt + written - 1), 0.0);
  EXPECT_NEAR(given, taken / static_cast<double>(written), kOneInFloat32);
}

// Five heads of the last two layers look nowhere else (0.78 to 1.00 of their weight each).
TEST(Reads, ChosenHeadsAndASpanOfTheAnswer) {
  const Json json = result(passKey({"--heads", "5:0,5:1,5:2", "--heads", "4:5", "--span", "0:3"}));
  EXPECT_EQ(json.at("heads").size(), 4U);
  EXPECT_EQ(json.at("span"), Json({0, 3}));
  EXPECT_EQ(json.at("sentences").at(0).at("text"), "The pass key is 48213.");
  EXPECT_GT(json.at("sentences").at(0).at("share").get<double>(), 0.9);
}

TEST(Reads, RefusesWhatItCannotAnswer) {
  const auto refused = [](std::vector<std::string> more, const std::string& why) {
    const Outcome outcome = run(passKey(std::move(more)));
    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.err, HasSubstr(why));
  };
  refused({"--span", "3:3"}, "A below B");
  refused({"--span", "0:99"}, "give a range within 0:5");
  refused({"--heads", "2"}, "LAYER:HEAD");
  refused({"--heads", "6:0"}, "layer");
  refused({"--keys", "0:9999"}, "--keys");
  refused({"--question", "And who?"}, "one question");
}

}  // namespace
}  // namespace ropescope::cli_tests
