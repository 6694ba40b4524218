#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/base/memory_size.h"
#include "core/base/random.h"
#include "core/engine/session_torch.h"
#include "core/lens/retrieval_heads.h"
#include "core/model/guard_torch.h"
#include "core/tokenizer/tokenizer.h"

namespace ropescope {
namespace {

constexpr std::int64_t kMostRepeated = 256;  // scores hardly change beyond; a prompt stays cheap
constexpr std::int64_t kLeastRepeated = 2;

// Ids that a prompt is drawn from.
std::vector<std::int32_t> ordinaryIds(const Engine& engine) {
  const ModelConfig& config = engine.config();
  const auto tokenizer = engine.tokenizer();
  std::vector<std::int32_t> ids;
  for (std::int32_t id = 0; id < config.vocabularySize; ++id) {
    if (id == config.bos || std::count(config.eos.begin(), config.eos.end(), id) > 0) continue;
    if (tokenizer) {
      const std::string piece = (*tokenizer)->piece(id);  // "<unk>" and "<0x0A>" are left out
      if (piece.size() > 2 && piece.front() == '<' && piece.back() == '>') continue;
    }
    ids.push_back(id);
  }
  return ids;
}

std::int64_t promptTokens(const Engine& engine, std::int64_t repeated) {
  return 2 * repeated + (engine.config().bos >= 0 ? 1 : 0);
}

Error refused(const std::string& found, const std::string& wanted) {
  return Error{ErrorCode::InvalidArgument, "copy test: " + found + "; " + wanted};
}

// The test with its n worked out and checked.
Result<CopyTest> complete(const Engine& engine, std::int64_t contextTokens, CopyTest test) {
  if (test.prompts < 2) {
    return refused(std::to_string(test.prompts) + " prompts",
                   "at least 2 are wanted, for the standard error");
  }
  const auto ordinary = static_cast<std::int64_t>(ordinaryIds(engine).size());
  if (test.repeatTokens == 0) {
    const std::int64_t length = std::min(engine.config().trainedLength, contextTokens);
    test.repeatTokens = std::min({kMostRepeated, (length - 1) / 2, ordinary});
  }
  if (test.repeatTokens < kLeastRepeated || test.repeatTokens > ordinary) {
    return refused(
        "a stretch of " + countText(test.repeatTokens) + " tokens",
        "2 to " + countText(ordinary) + " are possible, as many as the vocabulary has pieces");
  }
  if (const std::int64_t tokens = promptTokens(engine, test.repeatTokens); tokens > contextTokens) {
    return refused("a prompt of " + countText(tokens) + " tokens",
                   "the planned context has " + countText(contextTokens) +
                       "; repeat fewer tokens or plan a longer context");
  }
  return test;
}

// What one head did in one prompt.
struct PromptScore {
  double score = 0.0;
  double copyRate = 0.0;
};

// All heads of a layer, from the captured prompt: n - 1 queries against all keys before them.
std::vector<PromptScore> layerScores(const Session::State& state, int layer, std::int64_t n) {
  const ModelConfig& config = state.engine->config();
  const auto first = static_cast<std::int64_t>(state.tokens.size()) - n;  // second r_1
  const std::int64_t queries = n - 1;
  const LayerCapture& capture = state.captures.at(layer);
  const bool wide = state.engine->state().placement.dtype == at::kDouble;
  const auto type = wide ? at::kDouble : at::kFloat;
  const at::Tensor q =
      queriesOf(state.context(), layer, capture.input.narrow(0, first, queries), first).to(type);
  const at::Tensor keys = state.cache.keys.select(0, layer).narrow(1, 0, first + queries).to(type);
  const auto places = at::TensorOptions().device(q.device()).dtype(at::kLong);
  const at::Tensor row = at::arange(first, first + queries, places).unsqueeze(1);
  const at::Tensor column = at::arange(first + queries, places).unsqueeze(0);
  const at::Tensor target = row - (n - 1);  // the key after the earlier occurrence
  const double scale = 1.0 / std::sqrt(static_cast<double>(config.headDim));
  std::vector<PromptScore> scores;
  for (int head = 0; head < config.heads; ++head) {
    const at::Tensor k = keys.select(0, head / (config.heads / config.kvHeads));
    const at::Tensor products =
        (at::mm(q.select(1, head), k.t()) * scale).masked_fill(column > row, -INFINITY);
    const at::Tensor sums = capture.logSumExp.select(0, head).narrow(0, first, queries).to(type);
    const at::Tensor weights = at::exp(products.gather(1, target).squeeze(1) - sums);
    const at::Tensor copied = products.argmax(1, /*keepdim=*/true) == target;
    scores.push_back({weights.to(at::kDouble).mean().item<double>(),
                      copied.to(at::kDouble).mean().item<double>()});
  }
  return scores;
}

// Mean over prompts, and the standard error of the score.
HeadScore averaged(HeadRef head, const std::vector<PromptScore>& prompts) {
  const auto count = static_cast<double>(prompts.size());
  HeadScore result{.head = head};
  for (const PromptScore& prompt : prompts) {
    result.score += prompt.score / count;
    result.copyRate += prompt.copyRate / count;
  }
  double squares = 0.0;
  for (const PromptScore& prompt : prompts) {
    squares += (prompt.score - result.score) * (prompt.score - result.score);
  }
  result.standardError = std::sqrt(squares / (count - 1) / count);
  return result;
}

class CopyTestRun {
 public:
  CopyTestRun(const Engine& engine, CopyTest test) : m_engine(engine), m_test(test) {
    const ModelConfig& config = engine.config();
    m_scores.resize(static_cast<std::size_t>(config.layers) *
                    static_cast<std::size_t>(config.heads));
  }

  Status readPrompt(Session& session, int index, const JobControl& job) {
    const auto ids = copyPrompt(m_engine, m_test, index);
    if (!ids) return ids.error();
    const auto read = session.prefill({*ids}, job);
    if (!read) return read.error();
    return guardTorch("scoring heads", [&]() -> Status {
      const at::NoGradGuard noGrad;
      auto scores = m_scores.begin();
      for (int layer = 0; layer < m_engine.config().layers; ++layer) {
        for (const PromptScore& score : layerScores(session.state(), layer, m_test.repeatTokens)) {
          (scores++)->push_back(score);
        }
      }
      return Done{};
    });
  }

  CopyTestResult result() const {
    CopyTestResult result{.test = m_test, .heads = {}};
    const int heads = m_engine.config().heads;
    for (std::size_t i = 0; i < m_scores.size(); ++i) {
      const int index = static_cast<int>(i);
      result.heads.push_back(averaged({index / heads, index % heads}, m_scores[i]));
    }
    std::stable_sort(
        result.heads.begin(), result.heads.end(),
        [](const HeadScore& left, const HeadScore& right) { return left.score > right.score; });
    return result;
  }

 private:
  const Engine& m_engine;
  CopyTest m_test;
  std::vector<std::vector<PromptScore>> m_scores;  // of every head, by prompt
};

}  // namespace

Result<std::vector<std::int32_t>> copyPrompt(const Engine& engine, const CopyTest& test,
                                             int index) {
  std::vector<std::int32_t> pool = ordinaryIds(engine);
  const auto n = static_cast<std::size_t>(test.repeatTokens);
  if (n > pool.size()) {
    return refused(countText(test.repeatTokens) + " different tokens",
                   "the vocabulary has " + countText(static_cast<std::int64_t>(pool.size())));
  }
  SplitMix random(seedFor(test.seed, "copy test " + std::to_string(index)));
  for (std::size_t i = 0; i < n; ++i) std::swap(pool[i], pool[i + random.below(pool.size() - i)]);
  std::vector<std::int32_t> ids;
  if (engine.config().bos >= 0) ids.push_back(engine.config().bos);
  for (int copy = 0; copy < 2; ++copy) {
    ids.insert(ids.end(), pool.begin(), pool.begin() + static_cast<std::ptrdiff_t>(n));
  }
  return ids;
}

Result<CopyTestResult> findRetrievalHeads(const Engine& engine, const SessionOptions& plan,
                                          const CopyTest& wanted, const JobControl& job) {
  const auto test = complete(engine, plan.contextTokens, wanted);
  if (!test) return test.error();
  SessionOptions options = plan;
  options.roomTokens = promptTokens(engine, test->repeatTokens);
  options.captureLayers.resize(static_cast<std::size_t>(engine.config().layers));
  std::iota(options.captureLayers.begin(), options.captureLayers.end(), 0);
  const auto session = engine.newSession(options);
  if (!session) return session.error();
  CopyTestRun run(engine, *test);
  JobControl reading = job;
  reading.onProgress = {};  // a prompt is a step of this job
  for (int prompt = 0; prompt < test->prompts; ++prompt) {
    job.report({"copy test", prompt, test->prompts});
    if (Status read = run.readPrompt(**session, prompt, reading); !read) {
      if (read.error().code != ErrorCode::Cancelled) return read.error();
      return Error{ErrorCode::Cancelled, "the search for retrieval heads was stopped"};
    }
  }
  job.report({"copy test", test->prompts, test->prompts});
  return run.result();
}

}  // namespace ropescope
