// Phase modules and LoRA pairs on a whole model with shared key heads, against an independent
// program.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/model/safetensors.h"
#include "tests/support/golden.h"

namespace ropescope {
namespace {

using golden::Json;
using golden::must;
using testing::Test;

constexpr double kLogitTolerance = 1e-4;
constexpr double kFloat64Tolerance = 1e-5;
constexpr double kWrongAtLeast = 0.01;

const Json& record() {
  static const Json json = golden::fileJson(golden::goldenPath("psc.json"));
  return json;
}

golden::SharedEngine engineOf(const Json& method, const std::string& dtype = "float32") {
  const golden::ModelFolder folder(golden::goldenPath(record().at("model")),
                                   golden::fileJson(golden::goldenPath(method.at("config"))));
  return golden::loadEngine(folder.path(), dtype);
}

Score scoreWith(const Engine& engine, std::shared_ptr<const Calibration> calibration,
                double strength, bool lora) {
  const auto ids = golden::idsOf(record().at("token_ids"));
  SessionOptions options;
  options.rope = engine.config().rope;
  options.contextTokens = static_cast<std::int64_t>(ids.size());
  options.calibration = std::move(calibration);
  options.pscStrength = strength;
  options.lora = lora;
  return golden::scoreOf(engine, options, ids);
}

std::filesystem::path calibrationPath() {
  return golden::goldenPath(record().at("file"));
}

class Psc : public testing::TestWithParam<std::string> {
 protected:
  const Json& method() const { return record().at("methods").at(GetParam()); }
};

TEST_P(Psc, HasTheRecordedLossesAndLogits) {
  const auto engine = engineOf(method());
  const auto calibration = must(engine->loadCalibration(calibrationPath()));
  for (const auto& [name, wanted] : method().at("cases").items()) {
    const Score score = scoreWith(*engine, calibration, wanted.at("strength"), wanted.at("lora"));
    EXPECT_LE(golden::largestDifference(score.nll, wanted.at("nll")),
              record().at("loss_tolerance").get<double>())
        << name;
    EXPECT_LE(golden::largestDifference(score.lastLogits, wanted.at("last_logits")),
              kLogitTolerance)
        << name;
  }
}

TEST_P(Psc, HasTheRecordedLossesInFloat64) {
  const auto engine = engineOf(method(), "float64");
  const auto calibration = must(engine->loadCalibration(calibrationPath()));
  for (const auto& [name, wanted] : method().at("cases").items()) {
    const Score score = scoreWith(*engine, calibration, wanted.at("strength"), wanted.at("lora"));
    EXPECT_LE(golden::largestDifference(score.nll, wanted.at("nll_float64")), kFloat64Tolerance)
        << name;
  }
}

TEST_P(Psc, SwitchedOffIsBitIdenticalToNoCalibration) {
  const auto engine = engineOf(method());
  const auto calibration = must(engine->loadCalibration(calibrationPath()));
  const Score off = scoreWith(*engine, calibration, 0.0, false);
  const Score none = scoreWith(*engine, nullptr, 1.0, true);
  EXPECT_EQ(off.nll, none.nll);
  EXPECT_EQ(off.lastLogits, none.lastLogits);
}

// Every case of the file is far from every other, so each comparison above can fail.
TEST_P(Psc, CasesAreFarFromEachOther) {
  const Json& cases = method().at("cases");
  for (const auto& [name, one] : cases.items()) {
    const Json& recorded = one.at("nll");
    const std::vector<double> losses(std::next(recorded.begin()), recorded.end());
    for (const auto& [otherName, other] : cases.items()) {
      if (name == otherName) continue;
      EXPECT_GT(golden::largestDifference(losses, other.at("nll")), kWrongAtLeast)
          << name << ", " << otherName;
    }
  }
  for (const auto& [mistake, far] : method().at("wrong").items()) {
    EXPECT_GT(far.get<double>(), kWrongAtLeast) << mistake;
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, Psc, testing::Values("linear", "yarn", "longrope"),
                         [](const auto& instance) { return instance.param; });

// --- files that are not as they should be -------------------------------------------------------

class PscFile : public Test {
 protected:
  using Tensors = std::map<std::string, StoredTensor>;

  std::filesystem::path write(const Tensors& tensors,
                              const std::map<std::string, std::string>& metadata = {}) {
    const auto path = m_scratch.path() / "changed.safetensors";
    must(writeSafetensors(path, tensors, metadata));
    return path;
  }

  // The recorded tensors without those whose name holds `part`.
  Tensors without(const std::string& part) const {
    Tensors kept;
    for (const auto& [name, tensor] : m_file.tensors()) {
      if (name.find(part) == std::string::npos) kept.emplace(name, tensor);
    }
    return kept;
  }

  const Json& yarn() const { return record().at("methods").at("yarn"); }

  test::TempDir m_scratch;
  SafetensorsFile m_file = must(SafetensorsFile::open(calibrationPath()));
  golden::SharedEngine m_engine = engineOf(yarn());
};

TEST_F(PscFile, OfTheRecordIsTakenWhole) {
  const auto calibration = must(m_engine->loadCalibration(calibrationPath()));
  const CalibrationInfo& info = calibration->info();
  EXPECT_TRUE(info.hasPhase);
  EXPECT_TRUE(info.hasLora);
  EXPECT_EQ(info.loraRank, 8);
  EXPECT_EQ(info.loraAlpha, record().at("lora_alpha").get<double>());
  EXPECT_TRUE(info.missing.empty());
  EXPECT_TRUE(info.surplus.empty());
  EXPECT_EQ(info.metadata.at("format"), "pt");
}

TEST_F(PscFile, WithoutMetadataIsTakenWithAWarning) {
  const Json& wanted = record().at("without_metadata");
  const auto calibration = must(m_engine->loadCalibration(golden::goldenPath(wanted.at("file"))));
  ASSERT_EQ(calibration->info().warnings.size(), 1U);
  EXPECT_NE(calibration->info().warnings[0].find("origin unknown"), std::string::npos);
  EXPECT_EQ(calibration->info().loraAlpha, 16.0);
  const Score score = scoreWith(*m_engine, calibration, wanted.at("strength"), wanted.at("lora"));
  EXPECT_LE(golden::largestDifference(score.nll, wanted.at("nll")),
            record().at("loss_tolerance").get<double>());
  const Json& unrounded = yarn().at("cases").at("strength 1, LoRA on").at("nll");
  EXPECT_GT(golden::largestDifference(score.nll, unrounded), 1e-3)
      << "bfloat16 tensors are other tensors";
}

TEST_F(PscFile, ListsMissingTensorsAndIsIdentityThere) {
  const auto full = must(m_engine->loadCalibration(calibrationPath()));
  const auto noLora = must(m_engine->loadCalibration(write(without("_lora"))));
  EXPECT_FALSE(noLora->info().hasLora);
  EXPECT_EQ(noLora->info().missing.size(), 3U * 8U);  // A and B of q, k, v, o in three layers
  EXPECT_EQ(scoreWith(*m_engine, noLora, 1.0, true).nll,
            scoreWith(*m_engine, full, 1.0, false).nll);
  const auto noPhase = must(m_engine->loadCalibration(write(without("_phase"))));
  EXPECT_FALSE(noPhase->info().hasPhase);
  EXPECT_EQ(scoreWith(*m_engine, noPhase, 1.0, true).nll,
            scoreWith(*m_engine, full, 0.0, true).nll);
  const std::string one = "model.layers.1.self_attn.k_phase.up_phase";
  const auto oneShort = must(m_engine->loadCalibration(write(without(one))));
  EXPECT_EQ(oneShort->info().missing, std::vector<std::string>{one});
  EXPECT_GT(golden::largestDifference(scoreWith(*m_engine, oneShort, 1.0, true).nll,
                                      yarn().at("cases").at("strength 1, LoRA on").at("nll")),
            kWrongAtLeast);
}

TEST_F(PscFile, ListsSurplusTensors) {
  Tensors tensors = m_file.tensors();
  const std::string name = "model.layers.9.self_attn.q_phase.up_phase";
  tensors[name] = tensors.at("model.layers.0.self_attn.q_phase.up_phase");
  const auto calibration = must(m_engine->loadCalibration(write(tensors)));
  EXPECT_EQ(calibration->info().surplus, std::vector<std::string>{name});
  EXPECT_TRUE(calibration->info().missing.empty());
  EXPECT_LE(golden::largestDifference(scoreWith(*m_engine, calibration, 1.0, true).nll,
                                      yarn().at("cases").at("strength 1, LoRA on").at("nll")),
            record().at("loss_tolerance").get<double>());
}

TEST_F(PscFile, WithAWrongShapeIsRefusedWithBothShapes) {
  Tensors tensors = m_file.tensors();
  const std::string name = "model.layers.2.self_attn.k_phase.down_phase";
  // The query side's shape: a file of a model whose key heads are not shared.
  tensors[name] = tensors.at("model.layers.2.self_attn.q_phase.down_phase");
  const auto refused = m_engine->loadCalibration(write(tensors));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::CorruptFile);
  for (const char* part : {name.c_str(), "[4, 16, 16]", "[2, 16, 16]"}) {
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << refused.error().message;
  }
}

TEST_F(PscFile, WithoutAnyKnownTensorIsRefused) {
  const auto refused = m_engine->loadCalibration(write(without("self_attn")));
  ASSERT_FALSE(refused);
  const auto model = m_engine->loadCalibration(golden::goldenPath("tiny_llama/model.safetensors"));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::CorruptFile);
}

// Mistakes that a file can make, as far as the record says that they move the losses.
TEST_F(PscFile, MadeWrongMovesTheLossesAsRecorded) {
  const Json& right = yarn().at("cases").at("strength 1, LoRA on").at("nll");
  const auto moved = [&](const std::filesystem::path& path) {
    const auto calibration = must(m_engine->loadCalibration(path));
    return golden::largestDifference(scoreWith(*m_engine, calibration, 1.0, true).nll, right);
  };
  const double scale = yarn().at("wrong").at("LoRA scale 1");
  EXPECT_NEAR(moved(write(m_file.tensors(), {{"lora_alpha", "8"}})), scale, 1e-3 * scale);
  Tensors tensors = m_file.tensors();
  std::vector<std::vector<std::byte>> transposed;
  transposed.reserve(tensors.size());
  for (auto& [name, tensor] : tensors) {
    if (name.find("up_phase") == std::string::npos) continue;
    const auto size = static_cast<std::size_t>(tensor.shape[1]);
    const auto value = static_cast<std::size_t>(bytesPerValue(tensor.type));
    auto& bytes = transposed.emplace_back(tensor.bytes.size());
    for (std::size_t i = 0; i < tensor.bytes.size() / value; ++i) {
      const std::size_t head = i / (size * size);
      const std::size_t to = (head * size + i % size) * size + i / size % size;
      std::copy_n(tensor.bytes.begin() + static_cast<std::ptrdiff_t>(i * value), value,
                  bytes.begin() + static_cast<std::ptrdiff_t>(to * value));
    }
    tensor.bytes = bytes;
  }
  const double turned = yarn().at("wrong").at("U transposed");
  EXPECT_NEAR(moved(write(tensors)), turned, 1e-3 * turned);
}

}  // namespace
}  // namespace ropescope
