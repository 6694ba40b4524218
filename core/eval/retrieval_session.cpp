#include "core/eval/retrieval_session.h"

#include "core/tokenizer/utf8.h"

namespace ropescope {

rope::MethodChoice choiceAt(const CurveSettings& settings, const Engine& engine,
                            const LengthPlan& at) {
  if (!settings.factorFollowsLength) return decidedChoice(settings, engine, at.longest);
  CurveSettings own = settings;
  own.factorFollowsLength = false;
  return decidedChoice(own, engine, at.length);
}

Result<std::unique_ptr<Session>> sessionAt(const Engine& engine, const CurveSettings& settings,
                                           const LengthPlan& at) {
  auto session = engine.newSession({.rope = choiceAt(settings, engine, at),
                                    .contextTokens = at.length + at.answerRoom,
                                    .calibration = settings.calibration,
                                    .pscStrength = settings.pscStrength,
                                    .lora = settings.lora,
                                    .chunkTokens = engine.batchChunkTokens()});
  if (!session) {
    return Error{session.error().code, settings.label + ": " + session.error().message};
  }
  return session;
}

Status checkPlan(const Engine& engine, const CurveSettings& settings, const LengthPlan& at) {
  const auto session = sessionAt(engine, settings, at);
  if (!session) return session.error();
  return Done{};
}

Result<std::string> greedyAnswer(const Engine& engine, Session& session,
                                 const std::vector<TokenIds>& parts, std::int64_t mostTokens,
                                 const JobControl& job) {
  const auto tokenizer = engine.tokenizer();
  if (!tokenizer) return tokenizer.error();
  const JobControl quiet{.stop = job.stop, .onProgress = {}, .betweenSteps = job.betweenSteps};
  if (const auto read = session.prefill(parts, quiet); !read) return read.error();
  const TokenIds before(session.tokens().begin(), session.tokens().end());
  const auto generation = session.generate({.maxNewTokens = mostTokens}, {}, quiet);
  if (!generation) return generation.error();
  if (generation->finishReason == FinishReason::Stopped) {
    return Error{ErrorCode::Cancelled, "stopped within an answer; it is not counted"};
  }
  TokenIds ids;
  for (const GeneratedToken& token : generation->tokens) ids.push_back(token.id);
  return replaceInvalidUtf8((*tokenizer)->continuation(before, ids));
}

}  // namespace ropescope
