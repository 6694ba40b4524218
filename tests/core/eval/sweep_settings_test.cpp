#include "core/eval/sweep_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;
using testing::ElementsAre;

class SweepSettingsFile : public testing::Test {
 protected:
  Result<SweepSettings> read(const std::string& json) const {
    const auto file = temp.path() / "sweep.json";
    std::ofstream(file) << json;
    return readSweepSettings(file);
  }
  void refused(const std::string& json, const std::vector<std::string>& parts) const {
    expectError(read(json), ErrorCode::InvalidArgument, parts);
  }
  TempDir temp;
};

std::vector<std::string> labels(const SweepSettings& sweep) {
  std::vector<std::string> texts;
  for (const auto& setting : sweep.settings) texts.push_back(setting.label);
  return texts;
}

constexpr const char* kMeasure = R"("perplexity": {"lengths": [64]})";

TEST_F(SweepSettingsFile, MakesEveryCombinationOfAGroup) {
  const auto sweep = read(R"({"settings": [{"methods": ["none"]},
      {"methods": ["pi", "yarn:beta_fast=16"], "factors": [4, 1.5], "variants": ["untrained", "psc"],
       "seeds": [0, 7], "calibration": "c/{method}-{factor}x-{variant}-seed{seed}.safetensors"}],)" +
                          std::string(kMeasure) + "}");
  ASSERT_TRUE(sweep) << sweep.error().message;
  EXPECT_THAT(
      labels(*sweep),
      ElementsAre("none", "pi:factor=4", "pi:factor=4,calibration=pi-4x-psc-seed0.safetensors",
                  "pi:factor=4,calibration=pi-4x-psc-seed7.safetensors", "pi:factor=1.5",
                  "pi:factor=1.5,calibration=pi-1.5x-psc-seed0.safetensors",
                  "pi:factor=1.5,calibration=pi-1.5x-psc-seed7.safetensors",
                  "yarn:beta_fast=16,factor=4",
                  "yarn:beta_fast=16,factor=4,calibration=yarn-4x-psc-seed0.safetensors",
                  "yarn:beta_fast=16,factor=4,calibration=yarn-4x-psc-seed7.safetensors",
                  "yarn:beta_fast=16,factor=1.5",
                  "yarn:beta_fast=16,factor=1.5,calibration=yarn-1.5x-psc-seed0.safetensors",
                  "yarn:beta_fast=16,factor=1.5,calibration=yarn-1.5x-psc-seed7.safetensors"));
  const SweepSetting& trained = sweep->settings[3];
  EXPECT_EQ(trained.base, "pi:factor=4");
  EXPECT_EQ(trained.method, "pi");
  EXPECT_EQ(trained.factor, 4.0);
  EXPECT_EQ(trained.variant, "psc");
  EXPECT_EQ(trained.seed, 7);
  const auto file = (temp.path() / "c" / "pi-4x-psc-seed7.safetensors").string();
  EXPECT_EQ(trained.curve, "pi:factor=4,calibration=" + file);
  ASSERT_EQ(trained.files.size(), 1U);
  EXPECT_EQ(trained.files[0], file);
  EXPECT_EQ(sweep->settings[1].variant, kUntrained);
  EXPECT_FALSE(sweep->settings[1].seed);
  EXPECT_TRUE(sweep->settings[1].files.empty());
}

TEST_F(SweepSettingsFile, PathsOfParametersAreRelativeToTheFile) {
  const auto sweep = read(
      R"({"settings": [{"methods": ["longrope:factors=../f/l-{factor}x.json"], "factors": [8]}],)" +
      std::string(kMeasure) + "}");
  ASSERT_TRUE(sweep) << sweep.error().message;
  const auto file = (temp.path().parent_path() / "f" / "l-8x.json").string();
  EXPECT_EQ(sweep->settings[0].label, "longrope:factors=l-8x.json,factor=8");
  EXPECT_EQ(sweep->settings[0].base, sweep->settings[0].label);
  EXPECT_EQ(sweep->settings[0].curve, "longrope:factors=" + file + ",factor=8");
  EXPECT_EQ(sweep->settings[0].files, std::vector<std::filesystem::path>{file});
}

TEST_F(SweepSettingsFile, ReadsTheMeasures) {
  const auto sweep = read(R"({"settings": [{"methods": ["none"]}], "books": ["a.txt", "b.txt"],
      "perplexity": {"lengths": [128, 64], "windows_per_book": 3},
      "passkey": {"recipe": "bookworm", "lengths": [256], "depths": [1, 0], "trials": 2, "seed": 5,
                  "answers": false},
      "questions": {"lengths": [256], "types": ["word", "fact"], "per_type": 4, "seed": 6}})");
  ASSERT_TRUE(sweep) << sweep.error().message;
  EXPECT_THAT(sweep->books, ElementsAre("a.txt", "b.txt"));
  EXPECT_THAT(sweep->perplexity->lengths, ElementsAre(64, 128));
  EXPECT_EQ(sweep->perplexity->windowsPerBook, 3);
  EXPECT_EQ(sweep->passkey->recipe, PasskeyRecipe::Bookworm);
  EXPECT_THAT(sweep->passkey->depths, ElementsAre(0.0, 1.0));
  EXPECT_EQ(sweep->passkey->trials, 2);
  EXPECT_EQ(sweep->passkey->seed, 5);
  EXPECT_FALSE(sweep->passkey->keepAnswers);
  EXPECT_TRUE(sweep->questions->keepAnswers);
  EXPECT_THAT(sweep->questions->types, ElementsAre(QuestionType::Word, QuestionType::Fact));
  EXPECT_EQ(sweep->questions->perType, 4);
  EXPECT_EQ(sweep->questions->seed, 6);
}

TEST_F(SweepSettingsFile, NamesAnUnknownKeyAndTheKnownOnes) {
  refused(R"({"settings": [{"methods": ["none"]}], "perplexity": {"lengths": [64]}, "speed": 3})",
          {"sweep.json", "unknown key 'speed'", "settings, books, perplexity, passkey, questions"});
  refused(R"({"settings": [{"methods": ["none"], "factor": 4}], "perplexity": {"lengths": [64]}})",
          {"settings[0]", "'factor'", "methods, factors, variants, seeds, calibration"});
  refused(R"({"settings": [{"methods": ["none"]}], "perplexity": {"length": [64]}})",
          {"sweep.json: perplexity", "'length'", "lengths, windows_per_book"});
  refused(R"({"settings": [{"methods": ["none"]}], "passkey": {"lengths": [64], "depth": [0]}})",
          {"passkey", "'depth'", "depths"});
  refused(R"({"settings": [{"methods": ["none"]}], "questions": {"lengths": [64], "count": 3}})",
          {"questions", "'count'", "per_type"});
  refused(R"({"settings": [{"methods": ["none"]}], "questions": {"lengths": [64], "answers": 0}})",
          {"questions", "answers is 0", "true or false"});
}

TEST_F(SweepSettingsFile, RefusesWhatCannotWork) {
  const std::string measure = std::string(", ") + kMeasure + "}";
  refused(R"({"settings": [{"methods": ["none"]}]})", {"nothing is to be measured"});
  refused(R"({"settings": [])" + measure, {"settings are missing"});
  refused(R"({"settings": [{"factors": [4]}])" + measure, {"settings[0]", "methods"});
  refused(R"({"settings": ["none"])" + measure, {"settings[0]", "object"});
  refused(R"({"settings": [{"methods": ["yran"]}])" + measure, {"'yran'", "yarn"});
  refused(R"({"settings": [{"methods": ["pi"], "factors": [0.5]}])" + measure,
          {"factors", "from 1"});
  refused(R"({"settings": [{"methods": ["pi"], "variants": ["psc"]}])" + measure,
          {"variants", "calibration"});
  refused(R"({"settings": [{"methods": ["pi"], "calibration": "x"}])" + measure, {"variants"});
  refused(R"({"settings": [{"methods": ["pi"], "variants": ["psc"], "seeds": [1, 2],
              "calibration": "x"}])" +
              measure,
          {"{seed}"});
  refused(R"({"settings": [{"methods": ["pi"], "variants": ["psc"], "calibration": "x{seed}"}])" +
              measure,
          {"seeds"});
  refused(
      R"({"settings": [{"methods": ["pi"], "variants": ["a", "b"], "calibration": "x"}])" + measure,
      {"twice", "pi:calibration=x"});
  // Results know files by their names.
  refused(
      R"({"settings": [{"methods": ["pi"], "variants": ["a", "b"],
              "calibration": "{variant}/x"}])" +
          measure,
      {"two settings are pi:calibration=x", "a/x", "b/x", "rename one"});
  refused(R"({"settings": [{"methods": ["none"]}], "perplexity": {"lengths": [64, 64]}})",
          {"lengths", "twice"});
  refused(R"({"settings": [{"methods": ["none"]}], "perplexity": {"lengths": [1]}})",
          {"lengths", "from 2"});
  refused(R"({"settings": [{"methods": ["none"]}], "perplexity": {}})", {"lengths are missing"});
  refused(R"({"settings": [{"methods": ["none"]}], "passkey": {"lengths": [64], "depths": [2]}})",
          {"depths", "0 to 1"});
  refused(R"({"settings": [{"methods": ["none"]}], "passkey": {"lengths": [64], "recipe": "x"}})",
          {"recipe", "yarn, pi, longrope, bookworm"});
  refused(R"({"settings": [{"methods": ["none"]}], "questions": {"lengths": [9], "types": ["x"]}})",
          {"'x'", "fact, word, quote, sentence"});
  expectError(read("{"), ErrorCode::CorruptFile, {"sweep.json", "JSON"});
  expectError(readSweepSettings(temp.path() / "none.json"), ErrorCode::NotFound, {"none.json"});
}

TEST(ShippedSweep, NamesTheCalibrationsOfTheBundledModel) {
  const auto sweep = readSweepSettings(std::filesystem::path(ROPESCOPE_RESOURCES_DIR) / "sweeps" /
                                       "bookworm-11m.json");
  ASSERT_TRUE(sweep) << sweep.error().message;
  // none; 3 methods at 3 factors: untrained, and 3 variants.
  EXPECT_EQ(sweep->settings.size(), 1U + 3 * 3 * (1 + 3));
  EXPECT_EQ(sweep->books.size(), 4U);
}

}  // namespace
}  // namespace ropescope
