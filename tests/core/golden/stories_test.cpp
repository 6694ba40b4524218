// stories260K, a real model, against known numbers of an independent C program and
// transformers.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "core/engine/session_torch.h"
#include "tests/support/golden.h"

namespace ropescope {
namespace {

using golden::Json;
using golden::must;

const Json& record() {
  static const Json json = golden::fileJson(golden::goldenPath("stories260k.json"));
  return json;
}

class Stories : public testing::Test {
 protected:
  std::vector<std::int32_t> knownIds() const {
    return golden::idsOf(record().at("known").at("ids_with_bos"));
  }

  SessionOptions options(std::int64_t tokens) const {
    SessionOptions made;
    made.rope = m_engine->config().rope;
    made.contextTokens = tokens;
    return made;
  }

  // Logits after every token of `ids`: [T, V].
  at::Tensor logitsAfter(const std::vector<std::int32_t>& ids) const {
    const at::NoGradGuard noGrad;
    const auto tokens = static_cast<std::int64_t>(ids.size());
    const auto state = must(makeSessionState(m_engine, options(tokens)));
    const at::Tensor input =
        at::tensor(std::vector<std::int64_t>(ids.begin(), ids.end()), at::kLong);
    return logitsOf(state->context(),
                    forwardChunk(state->context(), input, 0, state->cache, state->captures));
  }

  golden::SharedEngine m_engine = golden::loadEngine(golden::storiesFolder());
  std::shared_ptr<const Tokenizer> m_tokenizer = must(m_engine->tokenizer());
};

TEST_F(Stories, TokenizerGivesTheKnownIds) {
  const std::string text = record().at("known").at("text");
  std::vector<std::int32_t> ids{m_tokenizer->bos()};
  const auto encoded = m_tokenizer->encode(text).ids;
  ids.insert(ids.end(), encoded.begin(), encoded.end());
  EXPECT_TRUE(m_tokenizer->addsBos());
  EXPECT_EQ(ids, knownIds());
  EXPECT_EQ(m_tokenizer->continuation({}, ids), text);
}

TEST_F(Stories, HasTheKnownLogits) {
  const at::Tensor logits = logitsAfter(knownIds());
  const Json& known = record().at("known");
  const double tolerance = known.at("logit_tolerance");
  for (const Json& best : known.at("max_logits")) {
    const auto [value, index] = logits[best.at("position").get<std::int64_t>()].max(0);
    EXPECT_EQ(index.item<std::int64_t>(), best.at("id").get<std::int64_t>());
    EXPECT_NEAR(value.item<double>(), best.at("logit").get<double>(), tolerance);
  }
  for (const Json& row : record().at("transformers").at("logits")) {
    const at::Tensor ours = logits[row.at("position").get<std::int64_t>()].contiguous();
    const std::span values(ours.const_data_ptr<float>(), static_cast<std::size_t>(ours.numel()));
    EXPECT_LE(golden::largestDifference(values, row.at("values")), tolerance);
  }
}

TEST_F(Stories, HasTheRecordedLosses) {
  const auto ids = knownIds();
  const Score score =
      golden::scoreOf(*m_engine, options(static_cast<std::int64_t>(ids.size())), ids);
  EXPECT_LE(golden::largestDifference(score.nll, record().at("transformers").at("nll")), 1e-4);
}

TEST_F(Stories, TellsTheKnownStoryFromBos) {
  const Json& wanted = record().at("transformers").at("greedy_from_bos");
  const auto most = static_cast<std::int64_t>(wanted.at("output_ids").size());
  const auto session = must(m_engine->newSession(options(most + 1)));
  const auto answer = golden::answerOf(*m_engine, *session, {{m_tokenizer->bos()}}, most);
  EXPECT_EQ(golden::greedyMismatch(answer, wanted, record().at("transformers").at("near_tie")), "");
  EXPECT_EQ(answer.text, wanted.at("text").get<std::string>());
  const std::string known = record().at("known").at("greedy_text_from_bos");
  EXPECT_EQ(answer.text.substr(0, known.size()), known);
}

}  // namespace
}  // namespace ropescope
