// Whole training runs on a real small model: files, resuming, refusals. Its numbers are no evidence
// for or against PSC.
#include "core/calibration/psc_trainer.h"

#include <gtest/gtest.h>

#include "core/engine/session.h"
#include "core/model/safetensors.h"
#include "tests/support/test_models.h"

namespace ropescope::calibration {
namespace {

using test::expectError;
using test::TempDir;

class PscTrainer : public testing::Test {
 protected:
  PscTrainingConfig config(const std::string& out) const {
    return {.rope = {.id = "pi", .values = {}, .factor = 4.0},
            .contextTokens = 128,
            .steps = 6,
            .loraRank = 4,
            .rate = 3e-3,
            .warmupSteps = 2,
            .windowsPerStep = 2,
            .seed = 5,
            .corpus = {test::testsDir() / "golden" / "inputs" / "document_long.txt"},
            .out = m_temp / out,
            .saveEvery = 2};
  }
  Result<PscTrainingResult> train(const PscTrainingConfig& c, const JobControl& job = {}) const {
    return trainPsc(*m_engine, c, {}, job);
  }
  std::vector<double> lossesOf(const PscTrainingConfig& c) const {
    const auto result = train(c);
    EXPECT_TRUE(result) << result.error().message;
    return result ? result->losses : std::vector<double>();
  }

  TempDir m_temp;
  test::EnginePtr m_engine = test::loadEngine(test::storiesPath());
};

TEST_F(PscTrainer, LossFallsAndTheFileHasThePapersTensors) {
  PscTrainingConfig c = config("psc.safetensors");
  c.steps = 30;
  const auto result = train(c);
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->losses.size(), 30U);
  const auto mean = [&](std::size_t first) {
    double sum = 0.0;
    for (std::size_t i = first; i < first + 5; ++i) sum += result->losses[i];
    return sum / 5;
  };
  EXPECT_LT(mean(25), mean(0) - 0.1) << "nats";
  const auto file = SafetensorsFile::open(c.out);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->tensors().size(), 5U * 12U);  // layers x (4 phase + 8 LoRA)
  const auto& up = file->tensors().at("model.layers.4.self_attn.k_phase.up_phase");
  EXPECT_EQ(up.shape, (std::vector<std::int64_t>{4, 8, 8}));  // [G, D, D]
  EXPECT_EQ(up.type, StoredType::BF16);
  EXPECT_EQ(file->tensors().at("model.layers.0.self_attn.v_lora.B_lora").shape,
            (std::vector<std::int64_t>{32, 4}));  // [G D, rank]
  EXPECT_EQ(file->metadata().at("base_model_hash"), m_engine->modelHash());
  EXPECT_EQ(file->metadata().at("rope_method"), "pi");
  EXPECT_EQ(file->metadata().at("rope_factor"), "4");
  EXPECT_EQ(file->metadata().at("original_length"), "512");
  EXPECT_EQ(file->metadata().at("trained_context"), "128");
  EXPECT_EQ(file->metadata().at("lora_alpha"), "8");
  EXPECT_EQ(file->metadata().at("steps"), "30");
  EXPECT_EQ(file->metadata().at("seed"), "5");
}

TEST_F(PscTrainer, WithoutPscOnlyLoraPairsAreTrained) {
  PscTrainingConfig c = config("lora.safetensors");
  c.phase = false;
  ASSERT_TRUE(train(c));
  const auto loaded = m_engine->loadCalibration(c.out);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_FALSE((*loaded)->info().hasPhase);
  EXPECT_TRUE((*loaded)->info().hasLora);
}

TEST_F(PscTrainer, WithoutPairsOnlyPscModulesAreTrained) {
  PscTrainingConfig c = config("psc.safetensors");
  c.loraRank = 0;
  c.steps = 30;
  const auto losses = lossesOf(c);
  ASSERT_EQ(losses.size(), 30U);
  // Noise between windows: the same windows untrained are the measure.
  PscTrainingConfig still = config("still.safetensors");
  still.loraRank = 0;
  still.steps = 30;
  still.rate = 1e-12;
  const auto before = lossesOf(still);
  EXPECT_LT(losses.back(), before.back() - 0.01);
  const auto loaded = m_engine->loadCalibration(c.out);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE((*loaded)->info().hasPhase);
  EXPECT_FALSE((*loaded)->info().hasLora);
  c.phase = false;
  expectError(train(c), ErrorCode::InvalidArgument, {"nothing to train", "--lora-rank"});
}

// What the file does in a session is what training measured: its first loss is the untrained
// model's, and a session with the file has a lower loss on a training window.
TEST_F(PscTrainer, ASessionUsesWhatWasTrained) {
  PscTrainingConfig c = config("used.safetensors");
  c.steps = 30;
  ASSERT_TRUE(train(c));
  const auto calibration = m_engine->loadCalibration(c.out);
  ASSERT_TRUE(calibration) << calibration.error().message;
  const auto ids = test::storyIds(*m_engine, 128);
  const auto meanLoss = [&](std::shared_ptr<const Calibration> used) {
    SessionOptions options;
    options.rope = c.rope;
    options.contextTokens = 128;
    options.calibration = std::move(used);
    const auto score = test::newSession(m_engine, options)->score(ids, {}, {});
    EXPECT_TRUE(score);
    double sum = 0.0;
    for (const double nll : score->nll) sum += nll;
    return sum / static_cast<double>(score->nll.size());
  };
  EXPECT_LT(meanLoss(*calibration), meanLoss(nullptr) - 0.1);
}

TEST_F(PscTrainer, AResumedRunHasTheSameLossesAndTheSameFile) {
  const PscTrainingConfig whole = config("whole.safetensors");
  const auto losses = lossesOf(whole);
  PscTrainingConfig parts = config("parts.safetensors");
  parts.steps = 2;
  EXPECT_EQ(lossesOf(parts).size(), 2U);
  parts.resume = true;
  parts.steps = 6;
  EXPECT_EQ(lossesOf(parts), losses);
  EXPECT_EQ(test::readText(parts.out), test::readText(whole.out));
}

// A stop at any place: inside a step, and between savings.
TEST_F(PscTrainer, AStopLosesNoFinishedStep) {
  const auto losses = lossesOf(config("whole.safetensors"));
  for (const int stopAfter : {1, 3}) {
    PscTrainingConfig c = config("stopped.safetensors");
    std::stop_source source;
    int steps = 0;
    const auto stopped =
        trainPsc(*m_engine, c,
                 [&](const TrainingStep&) {
                   if (++steps == stopAfter) source.request_stop();
                 },
                 {.stop = source.get_token(), .onProgress = {}, .betweenSteps = {}});
    ASSERT_TRUE(stopped) << stopped.error().message;
    EXPECT_EQ(stopped->end, TrainingEnd::Stopped);
    EXPECT_EQ(stopped->losses.size(), static_cast<std::size_t>(stopAfter));
    c.resume = true;
    EXPECT_EQ(lossesOf(c), losses) << "stopped after " << stopAfter;
  }
}

// kill -9 between savings: the state on disk is some steps old.
TEST_F(PscTrainer, AnOlderStateLeadsToTheSameLosses) {
  const auto losses = lossesOf(config("whole.safetensors"));
  PscTrainingConfig c = config("killed.safetensors");
  c.steps = 4;
  EXPECT_EQ(lossesOf(c).size(), 4U);
  std::filesystem::copy_file(statePath(c.out), m_temp / "old.state");
  c.resume = true;
  c.steps = 5;
  EXPECT_EQ(lossesOf(c).size(), 5U);
  std::filesystem::copy_file(m_temp / "old.state", statePath(c.out),
                             std::filesystem::copy_options::overwrite_existing);
  c.steps = 6;
  EXPECT_EQ(lossesOf(c), losses);
}

TEST_F(PscTrainer, StartsFromAShorterContextsModule) {
  PscTrainingConfig shorter = config("short.safetensors");
  shorter.contextTokens = 64;
  ASSERT_TRUE(train(shorter));
  PscTrainingConfig c = config("long.safetensors");
  c.steps = 1;
  const double fresh = lossesOf(c).front();
  c.init = shorter.out;
  c.out = m_temp / "started.safetensors";
  EXPECT_LT(lossesOf(c).front(), fresh) << "the first loss is that of the given module";
  c.loraRank = 2;
  expectError(train(c), ErrorCode::InvalidArgument, {"short.safetensors", "same kind"});
}

TEST_F(PscTrainer, RefusesWhatCannotWork) {
  PscTrainingConfig c = config("a.safetensors");
  c.resume = true;
  expectError(train(c), ErrorCode::NotFound, {"a.safetensors.state"});
  c.resume = false;
  ASSERT_TRUE(train(c));
  c.resume = true;
  c.steps = 8;
  c.rate = 1e-4;
  expectError(train(c), ErrorCode::InvalidArgument, {"rate is 0.003", "here it is 1e-04"});
  c = config("b.safetensors");
  c.contextTokens = 100000;
  expectError(train(c), ErrorCode::InvalidArgument, {"too few for one window"});
  c = config("c.safetensors");
  c.rate = 0.0;
  expectError(train(c), ErrorCode::InvalidArgument, {"--rate"});
  c = config("missing/folder.safetensors");
  int steps = 0;
  expectError(trainPsc(*m_engine, c, [&](const TrainingStep&) { ++steps; }, {}), ErrorCode::Device,
              {"missing/folder.safetensors"});
  EXPECT_EQ(steps, 0) << "said before the work, not at the first saving";
  c = config("a.safetensors");
  c.resume = true;
  c.steps = 5;
  expectError(train(c), ErrorCode::InvalidArgument, {"already at step 6", "5 are wanted"});
}

TEST_F(PscTrainer, ANanLossKeepsTheStateBeforeIt) {
  PscTrainingConfig c = config("nan.safetensors");
  c.rate = 1e30;  // the first update overflows everything
  c.warmupSteps = 0;
  const auto failed = train(c);
  expectError(
      failed, ErrorCode::Unsupported,
      {"loss of step 2", "update of step 1 is undone", "after 0 steps", "--rate", "--init"});
  EXPECT_TRUE(std::filesystem::exists(statePath(c.out)));

  // What is kept still trains, from the loss of weights that are not changed yet.
  PscTrainingConfig again = config("again.safetensors");
  again.init = c.out;
  const auto gone = train(again);
  ASSERT_TRUE(gone) << gone.error().message;
  const auto fresh = train(config("fresh.safetensors"));
  ASSERT_TRUE(fresh) << fresh.error().message;
  EXPECT_NEAR(gone->losses.front(), fresh->losses.front(), 1e-5);  // up and B are zero in both
}

TEST_F(PscTrainer, AnotherMethodOrModelIsRefusedUnlessForced) {
  const PscTrainingConfig c = config("mine.safetensors");
  ASSERT_TRUE(train(c));
  const auto calibration = m_engine->loadCalibration(c.out);
  ASSERT_TRUE(calibration) << calibration.error().message;
  SessionOptions options;
  options.rope = {.id = "yarn", .values = {}, .factor = 4.0};
  options.contextTokens = 128;
  options.calibration = *calibration;
  expectError(m_engine->newSession(options), ErrorCode::InvalidArgument,
              {"mine.safetensors", "under the RoPE method pi", "yarn is chosen", "--force"});
  const auto forced = m_engine->loadCalibration(c.out, OriginCheck::Ignore);
  ASSERT_TRUE(forced);
  options.calibration = *forced;
  EXPECT_TRUE(m_engine->newSession(options));

  const auto other = test::copyOf(test::storiesPath(), m_temp);
  test::editConfig(other, [](nlohmann::json& json) { json["rope_theta"] = 20000.0; });
  const auto engine = test::loadEngine(other);
  expectError(engine->loadCalibration(c.out), ErrorCode::InvalidArgument,
              {"mine.safetensors", "stories260K", m_engine->modelHash().substr(0, 12),
               engine->modelHash().substr(0, 12)});
  const auto used = engine->loadCalibration(c.out, OriginCheck::Ignore);
  ASSERT_TRUE(used);
  EXPECT_EQ((*used)->info().warnings.size(), 1U);
}

}  // namespace
}  // namespace ropescope::calibration
