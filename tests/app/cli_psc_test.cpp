// psc train on a real small model: the file it makes, interrupted and killed runs, what it refuses.
#include <algorithm>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::HasSubstr;

// Trains for 6 steps on windows of 64 tokens, then with more arguments.
std::vector<std::string> training(const fs::path& out, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"psc",          "train",
                                        "--model",      stories().string(),
                                        "--corpus",     sample().string(),
                                        "--rope",       "pi",
                                        "--factor",     "4",
                                        "--context",    "64",
                                        "--steps",      "6",
                                        "--rate",       "3e-3",
                                        "--warmup",     "2",
                                        "--threads",    "1",
                                        "--lora-rank",  "2",
                                        "--out",        out.string(),
                                        "--save-every", "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// What Linux says of the processor.
bool multipliesBfloat16() {
  std::ifstream info("/proc/cpuinfo");
  const std::string text((std::istreambuf_iterator<char>(info)), std::istreambuf_iterator<char>());
  return text.find(" avx512_bf16") != std::string::npos;
}

TEST(PscTrain, WritesACalibrationThatOtherCommandsUse) {
  const TempDir temp;
  const fs::path out = temp / "pi.safetensors";
  const Json trained = result(training(out));
  EXPECT_EQ(trained.at("end"), "finished");
  EXPECT_EQ(trained.at("losses").size(), 6U);
  EXPECT_EQ(trained.at("settings").at("dtype"), multipliesBfloat16() ? "bfloat16" : "float32")
      << "what auto means for training";
  EXPECT_GT(trained.at("tokens_per_second").get<double>(), 0.0);
  EXPECT_GT(trained.at("peak_rss").get<std::int64_t>(), 0);
  const auto scored = [&](const std::string& method) {
    return result({"score", "--model", stories().string(), "--document", sample().string(),
                   "--document-tokens", "0:63", "--rope", method, "--calibration", out.string()});
  };
  EXPECT_EQ(scored("pi").at("settings").at("calibration").at("metadata").at("rope_method"), "pi");
  const Outcome refused =
      run({"score", "--model", stories().string(), "--document", sample().string(),
           "--document-tokens", "0:63", "--rope", "ntk", "--calibration", out.string()});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("trained under the RoPE method pi, ntk is chosen"));
  const Outcome forced =
      run({"score", "--model", stories().string(), "--document", sample().string(),
           "--document-tokens", "0:63", "--rope", "ntk", "--calibration", out.string(), "--force"});
  EXPECT_EQ(forced.status, 0) << forced.err;

  const std::string before = fileText(out);
  const Outcome again = run(training(out));
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("is there already; add --resume"));
  EXPECT_EQ(fileText(out), before);
}

TEST(PscTrain, StartsOnlyFromAModuleThatFits) {
  const TempDir temp;
  const fs::path first = temp / "first.safetensors";
  result(training(first));
  const auto started = [&](const std::string& name, std::vector<std::string> more) {
    std::vector<std::string> arguments = training(temp / name, {"--init", first.string()});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  result(started("same.safetensors", {}));
  const Outcome alpha = run(started("alpha.safetensors", {"--lora-alpha", "64"}));
  EXPECT_EQ(alpha.status, 1);
  EXPECT_THAT(alpha.err, HasSubstr("LoRA alpha 4, 64 is chosen: its pairs would count 16 times"));
  result(started("forced.safetensors", {"--lora-alpha", "64", "--force"}));
  std::vector<std::string> ntk = started("ntk.safetensors", {});
  *std::find(ntk.begin(), ntk.end(), "pi") = "ntk";
  const Outcome method = run(ntk);
  EXPECT_EQ(method.status, 1);
  EXPECT_THAT(method.err, HasSubstr("trained under the RoPE method pi, ntk is chosen"));
  EXPECT_FALSE(fs::exists(temp / "ntk.safetensors"));
}

TEST(PscTrain, GoesOnAfterCtrlCAndAfterAKillWithTheSameLosses) {
  const TempDir temp;
  const Json whole = result(training(temp / "whole.safetensors"));
  for (const int signal : {SIGINT, SIGKILL}) {
    const fs::path out = temp / ("signal" + std::to_string(signal) + ".safetensors");
    const Outcome stopped =
        run(Call{.arguments = training(out, {"--json", (temp / "stopped.json").string()}),
                 .interruptOnceExists = out.string() + ".state",
                 .interruptSignal = signal});
    // A quick machine may have finished before the signal came.
    EXPECT_THAT(stopped.status, testing::AnyOf(0, signal == SIGINT ? 130 : 128 + SIGKILL));
    const Json resumed = result(training(out, {"--resume"}));
    EXPECT_EQ(resumed.at("losses"), whole.at("losses")) << "signal " << signal;
    EXPECT_EQ(fileText(out), fileText(temp / "whole.safetensors")) << "signal " << signal;
  }
}

TEST(PscTrain, SaysWhatItCannotDo) {
  const TempDir temp;
  const fs::path out = temp / "x.safetensors";
  const auto refused = [&](std::vector<std::string> arguments, int status,
                           const std::string& sentence) {
    const Outcome outcome = run(std::move(arguments));
    EXPECT_EQ(outcome.status, status) << sentence;
    EXPECT_THAT(outcome.err, HasSubstr(sentence));
    EXPECT_FALSE(fs::exists(out));
  };
  refused({"psc", "train"}, 2, "needs --corpus");
  refused({"psc", "tarin"}, 2, "did you mean 'psc train'?");
  refused(training(out, {"--calibration", "x"}), 2, "has no use for --calibration");
  refused(training(out, {"--resume"}), 1, "x.safetensors.state");
  std::vector<std::string> fast = training(out);
  *std::find(fast.begin(), fast.end(), "3e-3") = "1e38";
  refused(fast, 1, "at most 1e+30 (--rate)");
  refused(training(temp / "none" / "x.safetensors"), 1, "none");
  writeText(temp / "short.txt", "Too short.");
  refused({"psc", "train", "--model", stories().string(), "--corpus", (temp / "short.txt").string(),
           "--rope", "pi", "--context", "64", "--out", out.string()},
          1, "too few for one window of 64 tokens");
}

}  // namespace
}  // namespace ropescope::cli_tests
