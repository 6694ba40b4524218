#include "ui/worker/session_jobs.h"

#include <chrono>

#include "ui/worker/answer_writer.h"

namespace ropescope::ui {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The same job, which also says what the session holds at every step, and adds up the time that
// pictures took between steps.
JobControl withTokens(const JobControl& job, const Session& session,
                      const std::function<void(SessionTokens)>& tokens, double& pictureSeconds) {
  JobControl control = job;
  control.betweenSteps = [&job, &session, &tokens, &pictureSeconds] {
    if (tokens) tokens(tokensOf(session));
    const auto begin = Clock::now();
    job.step();
    pictureSeconds += secondsSince(begin);
  };
  return control;
}

struct Reading {
  PrefillResult result;
  double seconds = 0.0;  // without pictures
};

Result<Reading> read(EngineRoom& room, const SessionRecipe& recipe,
                     const std::vector<std::vector<std::int32_t>>& parts,
                     const std::function<void(SessionTokens)>& tokens, const JobControl& job) {
  auto session = sessionFor(room, recipe);
  if (!session) return session.error();
  const auto begin = Clock::now();
  double pictures = 0.0;
  auto done = (*session)->prefill(parts, withTokens(job, **session, tokens, pictures));
  if (tokens) tokens(tokensOf(**session));
  if (!done) return done.error();
  return Reading{*done, secondsSince(begin) - pictures};
}

// Other sessions are kept for convenience: they must not drive the machine to its last byte.
constexpr std::int64_t kLeftFree = std::int64_t{256} << 20;

bool fitsBesideOthers(const EngineRoom& room, const SessionOptions& options) {
  const std::int64_t free = room.freeBytes ? room.freeBytes() : room.engine->availableBytes();
  if (free < 0) return true;  // unknown
  const MemoryEstimate need = room.engine->memoryFor(options.contextTokens);
  const std::int64_t bytes =
      need.kvCache + need.workspace +
      need.capturePerLayer * static_cast<std::int64_t>(options.captureLayers.size());
  return bytes + room.sessions.unfilledBytes() + kLeftFree <= free;
}

}  // namespace

SessionTokens tokensOf(const Session& session) {
  const auto tokens = session.tokens();
  return std::make_shared<const std::vector<std::int32_t>>(tokens.begin(), tokens.end());
}

Result<Session*> sessionFor(EngineRoom& room, const SessionRecipe& recipe) {
  if (!room.engine) return Error{ErrorCode::InvalidArgument, "no model is loaded; open one first"};
  if (Session* kept = room.sessions.use(recipe.serial)) return room.session = kept;
  room.session = nullptr;
  while (!fitsBesideOthers(room, recipe.options) && room.sessions.dropOldest()) {
  }
  auto made = room.engine->newSession(recipe.options);
  // A device that does not tell how much is free says so here.
  while (!made && made.error().code == ErrorCode::OutOfMemory && room.sessions.dropOldest()) {
    made = room.engine->newSession(recipe.options);
  }
  if (!made) return made.error();
  return room.session = &room.sessions.insert(recipe.serial, *std::move(made));
}

Result<const Session*> existingSession(const EngineRoom& room, std::uint64_t serial) {
  const Session* session = room.sessions.find(serial);
  if (session == nullptr) {
    return Error{ErrorCode::NotFound, "the document has not been read under this method yet"};
  }
  return session;
}

void keepOnly(EngineRoom& room, const std::vector<std::uint64_t>& serials) {
  room.sessions.keepOnly(serials);
  room.session = serials.empty() ? nullptr : room.sessions.use(serials.front());
}

Result<PrefillResult> readParts(EngineRoom& room, const SessionRecipe& recipe,
                                const std::vector<std::vector<std::int32_t>>& parts,
                                const ReadingSinks& sinks, const JobControl& job) {
  auto reading = read(room, recipe, parts, sinks.tokens, job);
  if (!reading) return reading.error();
  return reading->result;
}

Result<Answer> answerQuestion(EngineRoom& room, const SessionRecipe& recipe,
                              const AnswerRequest& request, const AnswerSinks& sinks,
                              const JobControl& job) {
  const auto reading = read(room, recipe, request.parts, sinks.tokens, job);
  if (!reading) return reading.error();
  const auto tokenizer = room.engine->tokenizer();
  if (!tokenizer) return tokenizer.error();

  Answer answer{.prefill = reading->result, .prefillSeconds = reading->seconds};
  AnswerWriter writer(*tokenizer, request.parts.back());
  const auto emitText = [&](std::string text) {
    if (!text.empty() && sinks.text) sinks.text(std::move(text));
  };
  const auto onToken = [&](const GeneratedToken& token) { emitText(writer.add(token, answer)); };
  Session& session = *room.session;
  const auto begin = Clock::now();
  double pictures = 0.0;
  const auto generation = session.generate(request.generation, onToken,
                                           withTokens(job, session, sinks.tokens, pictures));
  if (sinks.tokens) sinks.tokens(tokensOf(session));
  if (!generation) return generation.error();
  answer.decodeSeconds = secondsSince(begin) - pictures;
  emitText(writer.finish(answer));
  answer.finishReason = generation->finishReason;
  return answer;
}

}  // namespace ropescope::ui
