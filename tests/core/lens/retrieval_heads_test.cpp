// The copy test against attention worked out densely, and by hand.
#include "core/lens/retrieval_heads.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/plain_decoder.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

// A mean of weights, each good to 2e-5 (attention_map_test.cpp).
constexpr double kTinyFloat32 = 2e-5;
// Weights of one row that lie nearer to each other than this may swap places in float32.
constexpr double kTie = 1e-4;

// Standard errors between two means: an error of three prompts is itself good to half its size
// only.
constexpr double kChance = 6.0;

const rope::MethodChoice kYarn{.id = "yarn", .values = {}, .factor = 4.0};

CopyTestResult find(const Engine& engine, const SessionOptions& plan, const CopyTest& test) {
  const auto found = findRetrievalHeads(engine, plan, test, {});
  if (!found) {
    ADD_FAILURE() << found.error().message;
    std::abort();
  }
  return *found;
}

const HeadScore& scoreOf(const CopyTestResult& result, HeadRef head) {
  return *std::find_if(result.heads.begin(), result.heads.end(),
                       [&](const HeadScore& score) { return score.head == head; });
}

Ids promptOf(const Engine& engine, const CopyTest& test, int index) {
  const auto ids = copyPrompt(engine, test, index);
  EXPECT_TRUE(ids) << ids.error().message;
  return *ids;
}

TEST(RetrievalHeads, PromptIsAStretchOfDifferentTokensTwice) {
  const auto engine = loadEngine(storiesPath());
  const CopyTest test{.repeatTokens = 40, .seed = 3};
  const Ids ids = promptOf(*engine, test, 0);
  ASSERT_EQ(ids.size(), 81U);
  EXPECT_EQ(ids.front(), engine->config().bos);
  EXPECT_TRUE(std::equal(ids.begin() + 1, ids.begin() + 41, ids.begin() + 41));
  EXPECT_EQ(std::set<std::int32_t>(ids.begin() + 1, ids.begin() + 41).size(), 40U);
  for (const std::int32_t id : std::span(ids).subspan(1)) {
    EXPECT_NE((*engine->tokenizer())->piece(id).substr(0, 3), "<0x");
    EXPECT_FALSE((*engine->tokenizer())->bytes(id).empty());
  }
  EXPECT_EQ(promptOf(*engine, test, 0), ids);
  EXPECT_NE(promptOf(*engine, test, 1), ids);
  EXPECT_NE(promptOf(*engine, {.repeatTokens = 40, .seed = 4}, 0), ids);
}

// Scores of one prompt from the dense softmax, written out from the definition.
struct DenseScore {
  double score = 0.0;
  double leastCopyRate = 0.0;  // rows in which two keys are as good as equal count for neither
  double mostCopyRate = 0.0;
};
DenseScore denseScore(const PlainDecoder& decoder, const LayerQueriesKeys& qk, int head,
                      std::int64_t n) {
  DenseScore dense;
  const auto share = 1.0 / static_cast<double>(n - 1);
  for (std::int64_t s = 1; s < n; ++s) {
    const auto weights = decoder.weights(qk, head, n + s);
    const double wanted = weights[static_cast<std::size_t>(s + 1)];
    dense.score += wanted * share;
    const double most = *std::max_element(weights.begin(), weights.end());
    if (wanted > most - kTie) dense.mostCopyRate += share;
    const auto rivals = std::count_if(weights.begin(), weights.end(),
                                      [&](double weight) { return weight > wanted - kTie; });
    if (wanted == most && rivals == 1) dense.leastCopyRate += share;
  }
  return dense;
}

TEST(RetrievalHeads, ScoresAreThoseOfTheDenseAttention) {
  constexpr std::int64_t kRepeat = 24;
  const auto engine = loadEngine(tinyPath());
  const SessionOptions plan{.rope = kYarn, .contextTokens = 256};
  const CopyTest test{.repeatTokens = kRepeat, .prompts = 3, .seed = 5};
  const CopyTestResult found = find(*engine, plan, test);
  ASSERT_EQ(found.heads.size(), 12U);
  const PlainDecoder decoder(tinyPath(), engine->config(), *engine->plan(kYarn, 256));
  std::vector<std::vector<LayerQueriesKeys>> prompts;
  for (int i = 0; i < 3; ++i) prompts.push_back(decoder.run(promptOf(*engine, test, i)));
  for (int layer = 0; layer < 3; ++layer) {
    for (int head = 0; head < 4; ++head) {
      std::vector<DenseScore> dense;
      for (const auto& prompt : prompts) {
        dense.push_back(
            denseScore(decoder, prompt[static_cast<std::size_t>(layer)], head, kRepeat));
      }
      const double mean = (dense[0].score + dense[1].score + dense[2].score) / 3;
      double squares = 0.0;
      for (const DenseScore& one : dense) squares += (one.score - mean) * (one.score - mean);
      const HeadScore& score = scoreOf(found, {layer, head});
      EXPECT_NEAR(score.score, mean, kTinyFloat32) << layer << "." << head;
      EXPECT_NEAR(score.standardError, std::sqrt(squares / 2 / 3), kTinyFloat32);
      EXPECT_GE(
          score.copyRate,
          (dense[0].leastCopyRate + dense[1].leastCopyRate + dense[2].leastCopyRate) / 3 - 1e-12);
      EXPECT_LE(
          score.copyRate,
          (dense[0].mostCopyRate + dense[1].mostCopyRate + dense[2].mostCopyRate) / 3 + 1e-12);
    }
  }
}

// One layer, all tokens alike, no BOS. Head 0 has no queries: every key gets the same weight. Head
// 1 looks back `distance` tokens: its query is its key, turned back by that distance.
std::filesystem::path lookBackModel(const TempDir& temp, int distance) {
  constexpr std::size_t kWidth = 16;   // E = D = V
  constexpr double kBase = 10.0;       // eight pairs that all turn within the prompt
  constexpr float kStrength = 12.65F;  // squared / sqrt(16) = 40 per pair at the right distance
  std::vector<float> queries(2 * kWidth * kWidth, 0.0F);
  std::vector<float> keys(2 * kWidth * kWidth, 0.0F);
  for (std::size_t pair = 0; pair < kWidth / 2; ++pair) {
    const double angle =
        distance * std::pow(kBase, -2.0 * static_cast<double>(pair) / double{kWidth});
    const std::size_t left = (kWidth + pair) * kWidth;  // row of head 1, column 0
    const std::size_t right = left + kWidth / 2 * kWidth;
    queries[left] = kStrength * static_cast<float>(std::cos(angle));
    queries[right] = -kStrength * static_cast<float>(std::sin(angle));
    keys[left] = kStrength;
  }
  const auto matrix = [](std::int64_t rows, std::int64_t columns, std::vector<float> values = {}) {
    values.resize(static_cast<std::size_t>(rows * columns), 0.0F);
    return float32Tensor({rows, columns}, values);
  };
  const OwnedTensor ones = float32Tensor({kWidth}, std::vector<float>(kWidth, 1.0F));
  const std::string layer = "model.layers.0.";
  OwnedTensors tensors{{"model.embed_tokens.weight",
                        matrix(kWidth, kWidth, std::vector<float>(kWidth * kWidth, 1.0F))},
                       {"model.norm.weight", ones},
                       {layer + "input_layernorm.weight", ones},
                       {layer + "post_attention_layernorm.weight", ones},
                       {layer + "self_attn.q_proj.weight", matrix(2 * kWidth, kWidth, queries)},
                       {layer + "self_attn.k_proj.weight", matrix(2 * kWidth, kWidth, keys)},
                       {layer + "self_attn.v_proj.weight", matrix(2 * kWidth, kWidth)},
                       {layer + "self_attn.o_proj.weight", matrix(kWidth, 2 * kWidth)}};
  for (const char* name : {"mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}) {
    tensors[layer + name + ".weight"] = matrix(kWidth, kWidth);
  }
  writeTensors(temp / "model.safetensors", tensors);
  writeText(temp / "config.json",
            R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "bos_token_id": null,
    "eos_token_id": null, "vocab_size": 16, "hidden_size": 16, "head_dim": 16,
    "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    "num_key_value_heads": 2, "tie_word_embeddings": true, "max_position_embeddings": 64,
    "rope_theta": 10.0, "rms_norm_eps": 1e-6})");
  return temp.path();
}

TEST(RetrievalHeads, AHeadThatLooksBackToTheNextTokenScoresOneAndAFlatHeadTheShareOfAKey) {
  constexpr int kRepeat = 8;
  TempDir temp;
  const auto engine = loadEngine(lookBackModel(temp, kRepeat - 1));
  const CopyTestResult found =
      find(*engine, {.contextTokens = 64}, {.repeatTokens = kRepeat, .prompts = 2});
  EXPECT_EQ(found.heads.front().head, (HeadRef{0, 1}));
  EXPECT_NEAR(found.heads.front().score, 1.0, 1e-6);
  EXPECT_EQ(found.heads.front().copyRate, 1.0);
  // Without a BOS the second r_s is at position n + s - 1 and sees n + s keys.
  double mean = 0.0;
  for (int s = 1; s < kRepeat; ++s) mean += 1.0 / (kRepeat + s) / (kRepeat - 1);
  EXPECT_NEAR(scoreOf(found, {0, 0}).score, mean, 1e-6);
  EXPECT_NEAR(scoreOf(found, {0, 0}).standardError, 0.0, 1e-9);  // the prompts do not differ
}

TEST(RetrievalHeads, AHeadThatLooksAtTheEarlierOccurrenceItselfIsNone) {
  constexpr int kRepeat = 8;
  TempDir temp;
  const auto engine = loadEngine(lookBackModel(temp, kRepeat));
  const CopyTestResult found =
      find(*engine, {.contextTokens = 64}, {.repeatTokens = kRepeat, .prompts = 2});
  EXPECT_NEAR(scoreOf(found, {0, 1}).score, 0.0, 1e-6);
  EXPECT_EQ(scoreOf(found, {0, 1}).copyRate, 0.0);
}

TEST(RetrievalHeads, RepeatsItselfExactly) {
  const auto engine = loadEngine(tinyPath());
  const SessionOptions plan{.rope = kYarn, .contextTokens = 256};
  const CopyTestResult first = find(*engine, plan, {.repeatTokens = 20, .seed = 1});
  const CopyTestResult second = find(*engine, plan, {.repeatTokens = 20, .seed = 1});
  for (std::size_t i = 0; i < first.heads.size(); ++i) {
    EXPECT_EQ(first.heads[i].head, second.heads[i].head);
    EXPECT_EQ(first.heads[i].score, second.heads[i].score);
  }
}

TEST(RetrievalHeads, ThePlanIsThatOfTheWholeContext) {
  // Dynamic NTK depends on the planned length: a small session must not change it.
  const auto engine = loadEngine(tinyPath());
  const rope::MethodChoice dynamic{.id = "dynamic", .values = {}, .factor = 4.0};
  const CopyTest test{.repeatTokens = 20, .prompts = 2};
  const CopyTestResult shortPlan = find(*engine, {.rope = dynamic, .contextTokens = 64}, test);
  const CopyTestResult longPlan = find(*engine, {.rope = dynamic, .contextTokens = 1024}, test);
  EXPECT_NE(shortPlan.heads.front().score, longPlan.heads.front().score);
}

TEST(RetrievalHeads, TheBundledModelHasTheSameOnesUnderOtherSeeds) {
  const auto engine = loadEngine(bookwormPath(), "float32", 2);
  const SessionOptions plan{.rope = {.id = "none"}, .contextTokens = 1024};
  const CopyTestResult first = find(*engine, plan, {.prompts = 3, .seed = 1});
  const CopyTestResult second = find(*engine, plan, {.prompts = 3, .seed = 2});
  EXPECT_EQ(first.test.repeatTokens, 256);
  const auto retrieval = [](const CopyTestResult& result) {
    std::set<HeadRef> heads;
    for (const HeadScore& score : result.heads) {
      if (score.copyRate > kRetrievalCopyRate) heads.insert(score.head);
    }
    return heads;
  };
  // Five of 36 heads copy at more than half of the positions, no other at more than a hundredth.
  EXPECT_EQ(retrieval(first).size(), 5U);
  EXPECT_EQ(retrieval(first), retrieval(second));
  for (const HeadScore& one : first.heads) {
    const HeadScore& other = scoreOf(second, one.head);
    const double error = std::hypot(one.standardError, other.standardError);
    EXPECT_NEAR(one.score, other.score, kChance * error + kTinyFloat32)
        << one.head.layer << "." << one.head.head;
  }
}

TEST(RetrievalHeads, RefusesWhatCannotBeTested) {
  const auto engine = loadEngine(tinyPath());
  const auto refused = [&](const CopyTest& test, const std::vector<std::string>& parts) {
    expectError(findRetrievalHeads(*engine, {.rope = kYarn, .contextTokens = 64}, test, {}),
                ErrorCode::InvalidArgument, parts);
  };
  refused({.prompts = 1}, {"1 prompts", "at least 2"});
  refused({.repeatTokens = 1}, {"1 tokens"});
  refused({.repeatTokens = 5000}, {"5,000 tokens", "vocabulary"});
  refused({.repeatTokens = 40}, {"81 tokens", "64", "longer context"});
}

TEST(RetrievalHeads, CanBeStopped) {
  const auto engine = loadEngine(tinyPath());
  std::stop_source source;
  JobControl job;
  job.stop = source.get_token();
  int prompts = 0;
  job.betweenSteps = [&] {
    if (++prompts == 2) source.request_stop();
  };
  expectError(
      findRetrievalHeads(*engine, {.rope = kYarn, .contextTokens = 256}, {.repeatTokens = 20}, job),
      ErrorCode::Cancelled, {"stopped"});
}

}  // namespace
}  // namespace ropescope
