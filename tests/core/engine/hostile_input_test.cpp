// Input that would overflow, loop or write where it should not.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/base/file_io.h"
#include "core/engine/engine.h"
#include "core/eval/perplexity.h"
#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

TEST(HostileInput, AnAnswerLengthNearTheEndOfInt64IsRefused) {
  const auto engine = loadEngine(tinyPath());
  const auto session = newSession(engine, {.contextTokens = 20});
  ASSERT_TRUE(session->prefill({{1, 2, 3}}, {}));
  expectError(session->generate({.maxNewTokens = std::numeric_limits<std::int64_t>::max()}, {}, {}),
              ErrorCode::InvalidArgument, {"max-new-tokens", "67,108,864"});
}

TEST(HostileInput, DeepJsonInAConfigIsRefused) {
  TempDir temp;
  const auto model = copyOf(tinyPath(), temp);
  writeText(model / "config.json",
            "{\"hidden_act\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}");
  expectError(tryEngine(model), ErrorCode::CorruptFile, {"config.json", "64 levels"});
}

TEST(HostileInput, ManyClaimedLayersCostNothingBeforeTheMissingTensorIsNamed) {
  TempDir temp;
  const auto model = copyOf(tinyPath(), temp);
  editConfig(model, [](nlohmann::json& json) { json["num_hidden_layers"] = 16'000'000; });
  expectError(tryEngine(model), ErrorCode::CorruptFile, {"model.layers.3", "missing"});
}

TEST(HostileInput, AnImpossibleTrainedLengthIsRefused) {
  TempDir temp;
  const auto model = copyOf(tinyPath(), temp);
  editConfig(model, [](nlohmann::json& json) {
    json["max_position_embeddings"] = std::numeric_limits<std::int64_t>::max();
  });
  expectError(tryEngine(model), ErrorCode::CorruptFile, {"max_position_embeddings"});
}

TEST(HostileInput, AnEpsilonThatMakesNaNIsRefused) {
  TempDir temp;
  const auto model = copyOf(tinyPath(), temp);
  editConfig(model, [](nlohmann::json& json) { json["rms_norm_eps"] = -1.0; });
  expectError(tryEngine(model), ErrorCode::CorruptFile, {"rms_norm_eps", "-1"});
}

// Finite weights, infinite products: every step of the session says so instead of answering.
TEST(HostileInput, OutputThatIsNotFiniteIsAnError) {
  TempDir temp;
  const auto model = copyOf(tinyPath(), temp);
  auto tensors = readTensors(model / "model.safetensors");
  auto& norm = tensors.at("model.norm.weight");
  const std::vector<float> huge(norm.bytes.size() / sizeof(float), 3e38F);
  norm = float32Tensor(norm.shape, huge);
  writeTensors(model / "model.safetensors", tensors);
  const auto engine = loadEngine(model);
  const auto session = newSession(engine, {.contextTokens = 20});
  const Ids ids{1, 2, 3, 4, 5};
  expectError(session->score(ids, {}, {}), ErrorCode::Unsupported, {"not a finite number"});
  expectError(session->prefill({ids}, {}), ErrorCode::Unsupported, {"not a finite number"});
}

TEST(HostileInput, WithoutAnEosInTheConfigTheTokenizersEndsTheAnswer) {
  TempDir temp;
  const auto model = copyOf(storiesPath(), temp);
  editConfig(model, [](nlohmann::json& json) { json["eos_token_id"] = nullptr; });
  std::filesystem::remove(model / "generation_config.json");
  const auto engine = loadEngine(model);
  ASSERT_EQ(engine->config().eos.size(), 1U);
  EXPECT_EQ(engine->config().eos.front(), (*engine->tokenizer())->eos());
  EXPECT_FALSE(engine->config().warnings.empty());
}

TEST(HostileInput, ACurveWithTwoFactorsOrAStrengthForNothingIsRefused) {
  const auto engine = loadEngine(tinyPath());
  expectError(parseCurve("yarn:factor=4,factor=8", *engine), ErrorCode::InvalidArgument,
              {"factor", "twice"});
  expectError(parseCurve("yarn:psc_strength=nan", *engine), ErrorCode::InvalidArgument,
              {"psc_strength", "nan"});
  expectError(parseCurve("yarn:psc_strength=0.5", *engine), ErrorCode::InvalidArgument,
              {"psc_strength", "calibration"});
}

TEST(HostileInput, ALinkStaysALinkWhenItsFileIsWritten) {
  TempDir temp;
  ASSERT_TRUE(writeFileAtomically(temp / "real.json", "old"));
  std::filesystem::create_symlink("real.json", temp / "link.json");
  ASSERT_TRUE(writeFileAtomically(temp / "link.json", "new"));
  EXPECT_TRUE(std::filesystem::is_symlink(temp / "link.json"));
  EXPECT_EQ(readText(temp / "real.json"), "new");
}

TEST(HostileInput, WhatStandsInDevIsWrittenNotReplaced) {
  ASSERT_TRUE(writeFileAtomically("/dev/null", "text"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  expectError(writeFileAtomically("/dev/full", "text"), ErrorCode::Device, {"/dev/full", "space"});
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

}  // namespace
}  // namespace ropescope
