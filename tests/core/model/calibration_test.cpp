// Calibration files that lie; what true ones do is compared in tests/core/golden.
#include "core/model/calibration.h"

#include <limits>

#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

class CalibrationFile : public testing::Test {
 protected:
  CalibrationFile()
      : engine(loadEngine(tinyPath())),
        tensors(readTensors(testsDir() / "golden" / "psc_tiny.safetensors")) {}

  Result<std::shared_ptr<const Calibration>> load(
      const std::map<std::string, std::string>& metadata = {}) {
    std::map<std::string, StoredTensor> views;
    for (const auto& [name, tensor] : tensors) {
      views[name] = {tensor.type, tensor.shape, tensor.bytes};
    }
    EXPECT_TRUE(writeSafetensors(temp / "psc.safetensors", views, metadata));
    return engine->loadCalibration(temp / "psc.safetensors");
  }

  EnginePtr engine;
  OwnedTensors tensors;
  TempDir temp;
};

const std::string kAttention = "model.layers.1.self_attn.";

TEST_F(CalibrationFile, TakesAlphaFromItsMetadata) {
  const auto plain = load();
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ((*plain)->info().loraAlpha, 16.0);
  const auto named = load({{"lora_alpha", "32"}});
  ASSERT_TRUE(named);
  EXPECT_EQ((*named)->info().loraAlpha, 32.0);
  EXPECT_NE((*plain)->info().warnings.at(0).find("alpha is taken as 16"), std::string::npos);
  EXPECT_EQ((*named)->info().warnings.at(0).find("alpha is taken"), std::string::npos);
  for (const char* alpha : {"much", "", "-1", "0", "16x", "nan", "inf"}) {
    expectError(load({{"lora_alpha", alpha}}), ErrorCode::CorruptFile,
                {"'lora_alpha'", std::string("'") + alpha + "'", "positive"});
  }
}

TEST_F(CalibrationFile, OfTwoRanksIsRefused) {
  auto& a = tensors.at(kAttention + "q_lora.A_lora");
  const std::int64_t in = a.shape[1];
  a = float32Tensor({3, in}, std::vector<float>(static_cast<std::size_t>(3 * in), 0.5F));
  expectError(load(), ErrorCode::CorruptFile, {kAttention + "q_lora", "ranks 3 and"});
}

TEST_F(CalibrationFile, WithNanIsRefusedWithTheTensor) {
  const float bad = std::numeric_limits<float>::quiet_NaN();
  const std::string name = kAttention + "k_phase.up_phase";
  std::memcpy(tensors.at(name).bytes.data(), &bad, sizeof bad);
  expectError(load(), ErrorCode::CorruptFile, {name, "NaN or infinity"});
}

TEST_F(CalibrationFile, ThatIsNoneIsRefused) {
  writeText(temp / "text.safetensors", "these are not tensors at all");
  expectError(engine->loadCalibration(temp / "text.safetensors"), ErrorCode::CorruptFile,
              {"text.safetensors", "download"});
  expectError(engine->loadCalibration(temp / "none"), ErrorCode::NotFound, {"none"});
}

TEST_F(CalibrationFile, OfAnotherModelIsRefusedBySessions) {
  const auto calibration = load();
  ASSERT_TRUE(calibration);
  const auto stories = loadEngine(storiesPath());
  expectError(stories->newSession({.contextTokens = 16, .calibration = *calibration}),
              ErrorCode::InvalidArgument, {"calibration", "3 layers", "5"});
}

// Calibrated and plain side by side, and P = 0 without LoRA is no calibration at all.
TEST_F(CalibrationFile, BelongsToItsSessionAlone) {
  const auto calibration = load();
  ASSERT_TRUE(calibration);
  const Ids ids = randomIds(128, 100, 1);
  const auto nll = [&](const SessionOptions& options) {
    auto score = newSession(engine, options)->score(ids, {}, {});
    EXPECT_TRUE(score) << score.error().message;
    return score->nll;
  };
  const auto plain = nll({.contextTokens = 100});
  const auto calibrated = nll({.contextTokens = 100, .calibration = *calibration});
  EXPECT_NE(calibrated, plain);
  EXPECT_EQ(nll({.contextTokens = 100}), plain);
  EXPECT_EQ(
      nll({.contextTokens = 100, .calibration = *calibration, .pscStrength = 0.0, .lora = false}),
      plain);
  EXPECT_EQ(nll({.contextTokens = 100, .calibration = *calibration}), calibrated);
}

}  // namespace
}  // namespace ropescope
