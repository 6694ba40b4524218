#include "tests/gpu/model_run.h"

#include <algorithm>

namespace ropescope::gpu {
namespace {

constexpr std::int64_t kAnswerTokens = 48;

}  // namespace

std::string placedText(const Placed& where) {
  return where.device + " " + where.dtype;
}

Result<ModelRuns> ModelRuns::prepare(const std::filesystem::path& folder, const std::string& text) {
  ModelRuns runs;
  runs.m_folder = folder;
  const auto engine = runs.engine({"cpu", "float32"});
  if (!engine) return engine.error();
  runs.m_config = (*engine)->config();
  const auto tokenizer = (*engine)->tokenizer();
  if (!tokenizer) return tokenizer.error();
  if ((*tokenizer)->addsBos()) runs.m_ids.push_back((*tokenizer)->bos());
  const std::vector<std::int32_t> read = (*tokenizer)->encode(text).ids;
  runs.m_ids.insert(runs.m_ids.end(), read.begin(), read.end());
  const auto wanted = static_cast<std::size_t>(runs.m_config.trainedLength * 3 / 2);
  if (runs.m_ids.size() < wanted) {
    return Error{ErrorCode::InvalidArgument, "the text has " + std::to_string(runs.m_ids.size()) +
                                                 " tokens, wanted are " + std::to_string(wanted) +
                                                 "; name a longer one"};
  }
  runs.m_ids.resize(wanted);
  return runs;
}

Result<std::shared_ptr<const Engine>> ModelRuns::engine(const Placed& where) {
  if (const auto known = m_engines.find(where); known != m_engines.end()) return known->second;
  EngineOptions options;
  options.model = m_folder;
  options.device = where.device;
  options.dtype = where.dtype;
  auto loaded = Engine::load(options, {});
  if (loaded) m_engines.emplace(where, *loaded);
  return loaded;
}

Result<std::unique_ptr<Session>> ModelRuns::session(const Placed& where, const Method& method,
                                                    std::int64_t chunkTokens,
                                                    const std::vector<int>& captureLayers) {
  const auto engine = this->engine(where);
  if (!engine) return engine.error();
  SessionOptions options;
  options.rope.id = method.id;
  options.rope.factor = method.factor;
  options.contextTokens = static_cast<std::int64_t>(m_ids.size()) + kAnswerTokens + 1;
  options.captureLayers = captureLayers;
  options.chunkTokens = chunkTokens;
  return (*engine)->newSession(options);
}

Result<std::vector<double>> ModelRuns::score(const Placed& where, const Method& method,
                                             std::int64_t chunkTokens) {
  const auto session = this->session(where, method, chunkTokens);
  if (!session) return session.error();
  auto score = (*session)->score(m_ids, {}, {});
  if (!score) return score.error();
  return std::move(score->nll);
}

std::vector<std::int32_t> ModelRuns::prompt() const {
  return {m_ids.begin(), m_ids.begin() + static_cast<std::ptrdiff_t>(m_ids.size() / 2)};
}

Result<std::vector<std::int32_t>> ModelRuns::greedy(const Placed& where, const Method& method) {
  const auto session = this->session(where, method, 0);
  if (!session) return session.error();
  if (const auto read = (*session)->prefill({prompt()}, {}); !read) return read.error();
  GenerationConfig config;
  config.maxNewTokens = kAnswerTokens;
  config.stopAtEos = false;
  const auto generated = (*session)->generate(config, {}, {});
  if (!generated) return generated.error();
  std::vector<std::int32_t> ids;
  for (const GeneratedToken& token : generated->tokens) ids.push_back(token.id);
  return ids;
}

Result<double> ModelRuns::lossGap(const std::vector<std::int32_t>& common, std::int32_t first,
                                  std::int32_t second, const Method& method) {
  std::vector<double> losses;
  for (const std::int32_t id : {first, second}) {
    std::vector<std::int32_t> ids = prompt();
    ids.insert(ids.end(), common.begin(), common.end());
    ids.push_back(id);
    const auto session = this->session({"cpu", "float64"}, method, 0);
    if (!session) return session.error();
    const auto score = (*session)->score(ids, {}, {});
    if (!score) return score.error();
    losses.push_back(score->nll.back());
  }
  return std::max(0.0, losses[1] - losses[0]);
}

}  // namespace ropescope::gpu
