// Frequencies and attention factors of every rope type against transformers'.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "core/model/model_config.h"
#include "core/rope/rope_method.h"
#include "tests/support/golden.h"

namespace ropescope {
namespace {

using golden::Json;
using golden::must;

// Both sides compute attention factors in double.
constexpr double kAttentionTolerance = 1e-12;
constexpr std::size_t kEntries = 577;

Json tables() {
  return golden::fileJson(golden::goldenPath("rope_tables.json"));
}

std::string labelOf(const Json& entry) {
  Json label = entry;
  label.erase("inv_freq");
  return label.dump().substr(0, 400);
}

rope::ParameterValue valueOf(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_array()) return value.get<std::vector<double>>();
  return value.get<double>();
}

rope::MethodChoice choiceOf(const Json& entry) {
  static const std::map<std::string, std::string> kMethods{
      {"default", "none"}, {"linear", "pi"},         {"dynamic", "dynamic"},
      {"yarn", "yarn"},    {"longrope", "longrope"}, {"llama3", "llama3"}};
  rope::MethodChoice choice;
  choice.id = kMethods.at(entry.at("rope_type"));
  choice.factor = entry.at("factor").get<double>();
  for (const auto& [name, value] : entry.at("parameters").items()) {
    if (name == "factor" || value.is_null()) continue;
    choice.values[name] = valueOf(value);
  }
  return choice;
}

rope::RopeContext contextOf(const Json& entry) {
  return {.base = entry.at("base"),
          .headDim = entry.at("head_dim"),
          .originalLength = entry.at("original_max_position_embeddings"),
          .plannedLength = entry.at("seq_len")};
}

// Largest relative difference; infinite when the number of pairs differs.
double relativeDifference(const std::vector<double>& ours, const Json& recorded) {
  if (ours.size() != recorded.size()) return INFINITY;
  double largest = 0.0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double theirs = recorded[i];
    largest = std::max(largest, std::abs(ours[i] - theirs) / theirs);
  }
  return largest;
}

TEST(GoldenRopeTables, EveryTableIsThatOfTransformers) {
  const Json file = tables();
  ASSERT_EQ(file.at("entries").size(), kEntries);
  const double tolerance = file.at("relative_tolerance");
  for (const Json& entry : file.at("entries")) {
    const auto plan = rope::makePlan(choiceOf(entry), contextOf(entry));
    ASSERT_TRUE(plan) << plan.error().message << "\n" << labelOf(entry);
    EXPECT_LE(relativeDifference(plan->invFreq, entry.at("inv_freq")), tolerance) << labelOf(entry);
    EXPECT_NEAR(plan->attentionFactor, entry.at("attention_factor"), kAttentionTolerance)
        << labelOf(entry);
  }
}

TEST(GoldenRopeTables, TheComparisonSeesAWrongMethod) {
  const Json file = tables();
  int compared = 0;
  for (const Json& entry : file.at("entries")) {
    if (entry.at("rope_type") != "yarn" || entry.at("factor") == 1.0) continue;
    const auto wrong = must(
        rope::makePlan({.id = "pi", .factor = entry.at("factor").get<double>()}, contextOf(entry)));
    EXPECT_GT(relativeDifference(wrong.invFreq, entry.at("inv_freq")), 0.1) << labelOf(entry);
    ++compared;
  }
  EXPECT_GT(compared, 100);
}

// The rope block of an entry. Without a trained length of its own the maximum counts.
Json blockOf(const Json& entry) {
  Json block = entry.at("parameters");
  const Json& trained = entry.at("original_max_position_embeddings");
  if (trained != entry.at("max_position_embeddings")) {
    block["original_max_position_embeddings"] = trained;
  }
  return block;
}

// config.json around it.
Json configOf(const Json& entry) {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"vocab_size", 128},
          {"hidden_size", 256},
          {"intermediate_size", 64},
          {"num_hidden_layers", 1},
          {"num_attention_heads", 4},
          {"head_dim", entry.at("head_dim")},
          {"max_position_embeddings", entry.at("max_position_embeddings")}};
}

Json newSpelling(const Json& entry) {
  Json config = configOf(entry);
  config["rope_parameters"] = blockOf(entry);
  config["rope_parameters"]["rope_type"] = entry.at("rope_type");
  config["rope_parameters"]["rope_theta"] = entry.at("base");
  return config;
}

// As before transformers 5; longrope as Phi-3, with the trained length at the root.
Json oldSpelling(const Json& entry) {
  Json config = configOf(entry);
  config["rope_theta"] = entry.at("base");
  config["rope_scaling"] = nullptr;
  if (entry.at("rope_type") == "default") return config;
  Json block = blockOf(entry);
  block["type"] = entry.at("rope_type");
  if (entry.at("rope_type") == "longrope") {
    config["original_max_position_embeddings"] = entry.at("original_max_position_embeddings");
    block.erase("original_max_position_embeddings");
    block["type"] = "su";
  }
  config["rope_scaling"] = block;
  return config;
}

rope::RotaryPlan planFromConfig(const test::TempDir& folder, const Json& config,
                                std::int64_t plannedLength) {
  std::ofstream(folder.path() / "config.json") << config.dump();
  const ModelConfig read = must(readModelConfig(folder.path()));
  for (const auto& warning : read.warnings) ADD_FAILURE() << warning;
  return must(rope::makePlan(read.rope, {.base = read.ropeBase,
                                         .headDim = read.headDim,
                                         .originalLength = read.trainedLength,
                                         .plannedLength = plannedLength}));
}

TEST(GoldenRopeTables, BothSpellingsOfAConfigGiveTheSameTable) {
  const test::TempDir folder;
  const Json file = tables();
  const double tolerance = file.at("relative_tolerance");
  for (const Json& entry : file.at("entries")) {
    const auto plan = planFromConfig(folder, newSpelling(entry), entry.at("seq_len"));
    const auto old = planFromConfig(folder, oldSpelling(entry), entry.at("seq_len"));
    EXPECT_TRUE(plan.sameRotation(old)) << labelOf(entry);
    EXPECT_LE(relativeDifference(plan.invFreq, entry.at("inv_freq")), tolerance) << labelOf(entry);
    EXPECT_NEAR(plan.attentionFactor, entry.at("attention_factor"), kAttentionTolerance)
        << labelOf(entry);
  }
}

}  // namespace
}  // namespace ropescope
