// Whole-model losses and logits of small random Llamas under every rope type, against transformers.
#include <algorithm>
#include <cmath>
#include <optional>

#include <gtest/gtest.h>

#include "tests/support/golden.h"

namespace ropescope {
namespace {

using golden::Json;
using golden::must;

constexpr double kLogitTolerance = 1e-4;    // two float32 programs differ by at most 5e-6
constexpr double kFloat64Tolerance = 1e-5;  // see README: 1.5e-6 from tables in float32
constexpr double kBfloat16Tolerance = 0.1;  // transformers' own moves a loss by up to 0.043
constexpr double kWrongAtLeast = 0.01;      // what every mistake must move a loss by

const Json& record() {
  static const Json json = golden::fileJson(golden::goldenPath("tiny_llama.json"));
  return json;
}

Json configAt(const std::string& path) {
  return golden::fileJson(golden::goldenPath(path));
}

// A variant's model under one of its configs.
golden::SharedEngine engineOf(const Json& variant, const Json& config,
                              const std::string& dtype = "float32") {
  const golden::ModelFolder folder(golden::goldenPath(variant.at("model")), config);
  return golden::loadEngine(folder.path(), dtype);  // mapped files outlive their names
}

std::vector<std::int32_t> idsUpTo(std::int64_t length) {
  auto ids = golden::idsOf(record().at("token_ids"));
  ids.resize(static_cast<std::size_t>(length));
  return ids;
}

Score scoreWith(const Engine& engine, const rope::MethodChoice& choice, std::int64_t length,
                std::optional<std::int64_t> planned = {}) {
  SessionOptions options;
  options.rope = choice;
  options.contextTokens = planned.value_or(length);
  return golden::scoreOf(engine, options, idsUpTo(length));
}

class TinyLlama : public testing::TestWithParam<std::string> {
 protected:
  const Json& variant() const { return record().at("variants").at(GetParam()); }
  std::vector<std::int64_t> lengths() const { return record().at("lengths"); }
  const Json& at(std::int64_t length) const { return variant().at(std::to_string(length)); }
};

TEST_P(TinyLlama, HasTheRecordedLossesAndLogits) {
  for (const std::string path : variant().at("configs")) {
    const auto engine = engineOf(variant(), configAt(path));
    for (const std::int64_t length : lengths()) {
      const Score score = scoreWith(*engine, engine->config().rope, length);
      EXPECT_LE(golden::largestDifference(score.nll, at(length).at("nll")),
                record().at("loss_tolerance").get<double>())
          << path << " at " << length;
      EXPECT_LE(golden::largestDifference(score.lastLogits, at(length).at("last_logits")),
                kLogitTolerance)
          << path << " at " << length;
    }
  }
}

TEST_P(TinyLlama, HasTheRecordedLossesInFloat64) {
  const auto engine = engineOf(variant(), configAt(variant().at("configs")[0]), "float64");
  for (const std::int64_t length : lengths()) {
    const Score score = scoreWith(*engine, engine->config().rope, length);
    EXPECT_LE(golden::largestDifference(score.nll, at(length).at("nll_float64")), kFloat64Tolerance)
        << length;
  }
}

TEST_P(TinyLlama, IsBitEqualInEverySpellingOfItsConfig) {
  const Json& configs = variant().at("configs");
  const auto first = engineOf(variant(), configAt(configs[0]));
  for (std::size_t i = 1; i < configs.size(); ++i) {
    const auto other = engineOf(variant(), configAt(configs[i]));
    for (const std::int64_t length : lengths()) {
      const Score a = scoreWith(*first, first->config().rope, length);
      const Score b = scoreWith(*other, other->config().rope, length);
      EXPECT_EQ(a.nll, b.nll) << configs[i] << " at " << length;
      EXPECT_EQ(a.lastLogits, b.lastLogits) << configs[i] << " at " << length;
    }
  }
}

// Read in odd chunks: the cache and the split attention against numbers from one pass.
TEST_P(TinyLlama, HasTheRecordedLossesInChunksOfSeven) {
  const auto engine = engineOf(variant(), configAt(variant().at("configs")[0]));
  for (const std::int64_t length : lengths()) {
    SessionOptions options;
    options.rope = engine->config().rope;
    options.contextTokens = length;
    options.chunkTokens = 7;
    const Score score = golden::scoreOf(*engine, options, idsUpTo(length));
    EXPECT_LE(golden::largestDifference(score.nll, at(length).at("nll")),
              record().at("loss_tolerance").get<double>())
        << length;
  }
}

// One mistake of the golden file, made with this program.
struct Mistake {
  Json config;                             // other than the variant's, or null
  std::optional<rope::MethodChoice> rope;  // other than the config's
  std::optional<std::int64_t> planned;     // other than the length
};

rope::MethodChoice withAttention(rope::MethodChoice choice, double factor) {
  choice.values["attention_factor"] = factor;
  return choice;
}

std::optional<Mistake> mistakeOf(const std::string& name, const Json& config, const Engine& engine,
                                 std::int64_t length) {
  const rope::MethodChoice right = engine.config().rope;
  const double t = must(engine.plan(right, length)).attentionFactor;
  Mistake made;
  if (name == "factor off") made.rope = {.id = "none"};
  if (name == "linear instead") made.rope = {.id = "pi", .factor = 4.0};
  if (name == "attention factor omitted") made.rope = withAttention(right, 1.0);
  if (name == "attention factor squared") made.rope = withAttention(right, t * t);
  if (name == "factor 1") made.rope = {.id = right.id, .factor = 1.0};
  if (name == "static: length 256") made.planned = 256;
  if (name == "llama3 ramp instead") {  // a ramp that is linear in turns: the paper's
    made.rope = right;
    made.rope->values["ramp"] = std::string("paper");
  }
  if (name == "long factors instead" || name == "short factors instead") {
    const auto& lists = engine.config().factorLists;
    const auto& list = lists.at(name.substr(0, name.find(' ')) + "_factor");
    made.rope = right;
    made.rope->values["short_factor"] = list;
    made.rope->values["long_factor"] = list;
  }
  if (name == "bias omitted") {
    made.config = config;
    made.config["attention_bias"] = made.config["mlp_bias"] = false;
  }
  if (name == "maximum taken for the original length") {
    made.config = config;
    const char* block = config.contains("rope_scaling") ? "rope_scaling" : "rope_parameters";
    made.config[block]["original_max_position_embeddings"] = config.at("max_position_embeddings");
  }
  if (made.config.is_null() && !made.rope && !made.planned) return std::nullopt;
  return made;
}

// The same mistakes move our losses as far as they move the reference's, and the comparison above
// would see every one of them.
TEST_P(TinyLlama, IsFarFromTheRecordWithAMistake) {
  const Json config = configAt(variant().at("configs")[0]);
  const auto engine = engineOf(variant(), config);
  int made = 0;
  for (const std::int64_t length : lengths()) {
    for (const auto& [name, recorded] : at(length).at("wrong").items()) {
      const double far = recorded;
      EXPECT_GT(far, kWrongAtLeast) << name;
      const auto mistake = mistakeOf(name, config, *engine, length);
      if (!mistake) {
        EXPECT_EQ(name, "interleaved pairs") << "is not made here";
        continue;
      }
      const auto wrong = mistake->config.is_null() ? engine : engineOf(variant(), mistake->config);
      const auto choice = mistake->rope.value_or(wrong->config().rope);
      const Score score = scoreWith(*wrong, choice, length, mistake->planned);
      const double moved = golden::largestDifference(score.nll, at(length).at("nll"));
      EXPECT_GT(moved, kWrongAtLeast) << name << " at " << length;
      // Recorded with four digits, from another float32 program.
      EXPECT_NEAR(moved, far, 1e-3 * far + 1e-3) << name << " at " << length;
      ++made;
    }
  }
  EXPECT_TRUE(made > 0 || GetParam() == "default");
}

INSTANTIATE_TEST_SUITE_P(Variants, TinyLlama,
                         testing::Values("default", "linear", "dynamic", "yarn", "longrope",
                                         "llama3", "bias"),
                         [](const auto& instance) { return instance.param; });

// The one model whose stored weights are bfloat16 numbers.
TEST(TinyLlamaWithBiases, StaysNearTheRecordInBfloat16) {
  const Json& variant = record().at("variants").at("bias");
  const auto engine = engineOf(variant, configAt(variant.at("configs")[0]), "bfloat16");
  for (const std::int64_t length : record().at("lengths").get<std::vector<std::int64_t>>()) {
    const Score score = scoreWith(*engine, engine->config().rope, length);
    const double moved =
        golden::largestDifference(score.nll, variant.at(std::to_string(length)).at("nll"));
    EXPECT_LE(moved, kBfloat16Tolerance) << length;
    EXPECT_GT(moved, 1e-4) << length << ": is this bfloat16 at all?";
  }
}

TEST(TinyLlamaRecord, IsTestedWhole) {
  EXPECT_EQ(record().at("variants").size(), 7U);
}

}  // namespace
}  // namespace ropescope
