#include "core/engine/session_steps_torch.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/base/memory_size.h"
#include "core/engine/answer_steps.h"
#include "core/engine/sampler.h"
#include "core/model/guard_torch.h"

namespace ropescope {
namespace {

using State = Session::State;

at::Tensor onDevice(std::span<const std::int32_t> ids, const at::Device& device) {
  at::Tensor tokens = at::empty({static_cast<std::int64_t>(ids.size())}, at::kLong);
  std::copy(ids.begin(), ids.end(), tokens.mutable_data_ptr<std::int64_t>());
  return tokens.to(device);
}

// How much of the cache can stay so that the result is bit for bit that of a fresh session: chunks
// that hold the same tokens and were cut at the same places.
std::int64_t reusable(const State& state, std::span<const std::int32_t> ids,
                      const std::vector<std::int64_t>& ends) {
  const auto [cached, wanted] =
      std::mismatch(state.tokens.begin(), state.tokens.end(), ids.begin(), ids.end());
  const std::int64_t common = wanted - ids.begin();
  std::int64_t best = 0;
  auto border = state.borders.upper_bound(0);
  for (const std::int64_t end : ends) {
    const bool leavesOne = end < static_cast<std::int64_t>(ids.size());
    if (border == state.borders.end() || *border++ != end || end > common || !leavesOne) break;
    best = end;
  }
  return best;
}

}  // namespace

Status checkIds(const State& state, std::span<const std::int32_t> ids) {
  const int vocabulary = state.engine->config().vocabularySize;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= vocabulary) {
      return Error{ErrorCode::InvalidArgument,
                   "token " + std::to_string(i) + " has the id " + std::to_string(ids[i]) +
                       "; the model's vocabulary has ids 0 to " + std::to_string(vocabulary - 1)};
    }
  }
  return Done{};
}

Status checkLength(const State& state, std::int64_t tokens, const char* what) {
  if (tokens <= state.options.contextTokens) return Done{};
  return Error{ErrorCode::InvalidArgument,
               std::string(what) + " needs " + countText(tokens) +
                   " tokens, the planned context has " + countText(state.options.contextTokens) +
                   "; plan a longer context (--context " + std::to_string(tokens) +
                   ") or take a part of the document (--document-tokens A:B)"};
}

at::Tensor appendChunk(State& state, std::span<const std::int32_t> ids) {
  const at::NoGradGuard noGrad;
  const auto position = static_cast<std::int64_t>(state.tokens.size());
  const at::Tensor tokens = onDevice(ids, state.engine->state().placement.device);
  const at::Tensor hidden =
      forwardChunk(state.context(), tokens, position, state.cache, state.captures);
  state.tokens.insert(state.tokens.end(), ids.begin(), ids.end());
  return hidden;
}

Error notFinite(const State& state, std::int64_t position) {
  return Error{ErrorCode::Unsupported,
               "the model's output at position " + countText(position) +
                   " is not a finite number in " + state.engine->dtype() +
                   "; use --dtype float32, and if that is in use, check the model's files"};
}

Status keepLogits(State& state, const at::Tensor& hidden) {
  const at::NoGradGuard noGrad;
  const at::Tensor last = hidden.narrow(0, hidden.size(0) - 1, 1);
  state.logits = logitsOf(state.context(), last).squeeze(0).to(at::kCPU, at::kFloat);
  if (at::isfinite(state.logits).all().item<bool>()) return Done{};
  state.logits.reset();
  return notFinite(state, static_cast<std::int64_t>(state.tokens.size()) - 1);
}

std::vector<std::int64_t> chunkEnds(const std::vector<std::int64_t>& partEnds,
                                    std::int64_t chunkTokens) {
  std::set<std::int64_t> ends(partEnds.begin(), partEnds.end());
  const std::int64_t total = partEnds.empty() ? 0 : partEnds.back();
  for (std::int64_t end = chunkTokens; end < total; end += chunkTokens) ends.insert(end);
  ends.erase(0);
  return {ends.begin(), ends.end()};
}

Result<PromptReading> PromptReading::begin(Session& session,
                                           const std::vector<std::vector<std::int32_t>>& parts) {
  State& state = *session.m_state;
  PromptReading reading(session);
  std::vector<std::int64_t> partEnds;
  for (const auto& part : parts) {
    reading.m_ids.insert(reading.m_ids.end(), part.begin(), part.end());
    partEnds.push_back(static_cast<std::int64_t>(reading.m_ids.size()));
  }
  const auto total = static_cast<std::int64_t>(reading.m_ids.size());
  if (total == 0) return Error{ErrorCode::InvalidArgument, "the prompt is empty; give some text"};
  if (Status valid = checkIds(state, reading.m_ids); !valid) return valid.error();
  if (Status fits = checkLength(state, total, "the prompt"); !fits) return fits.error();
  reading.m_chunkEnds = chunkEnds(partEnds, state.options.chunkTokens);
  reading.m_result = {.promptTokens = total,
                      .reusedTokens = reusable(state, reading.m_ids, reading.m_chunkEnds)};
  session.rewind(reading.m_result.reusedTokens);
  state.logits.reset();
  const auto first =
      std::upper_bound(reading.m_chunkEnds.begin(), reading.m_chunkEnds.end(), session.position());
  reading.m_next = static_cast<std::size_t>(first - reading.m_chunkEnds.begin());
  return reading;
}

Status PromptReading::readChunk() {
  State& state = *m_session->m_state;
  return guardTorch("reading the prompt", [&]() -> Status {
    const std::int64_t end = m_chunkEnds[m_next];
    const auto begin = static_cast<std::size_t>(m_session->position());
    const at::Tensor hidden =
        appendChunk(state, std::span(m_ids).subspan(begin, static_cast<std::size_t>(end) - begin));
    state.borders.insert(end);
    ++m_next;
    return isDone() ? keepLogits(state, hidden) : Status(Done{});
  });
}

struct AnswerDrawing::State {
  Session::State* session;
  GenerationConfig config;
  Sampler sampler;
  at::Tensor logits;       // [V] float32 on the CPU, for the next draw
  std::int64_t drawn = 0;  // tokens
  std::int32_t last = 0;
  FinishReason finishReason = FinishReason::Length;
};

AnswerDrawing::AnswerDrawing(std::unique_ptr<State> state) : m_state(std::move(state)) {}
AnswerDrawing::~AnswerDrawing() = default;
AnswerDrawing::AnswerDrawing(AnswerDrawing&&) noexcept = default;
AnswerDrawing& AnswerDrawing::operator=(AnswerDrawing&&) noexcept = default;

Result<AnswerDrawing> AnswerDrawing::begin(Session& session, const GenerationConfig& config) {
  Session::State& state = *session.m_state;
  if (Status valid = validate(config); !valid) return valid.error();
  if (!state.logits.defined()) {
    return Error{ErrorCode::InvalidArgument, "nothing to continue: read a prompt first"};
  }
  const std::int64_t needed = session.position() + config.maxNewTokens;
  if (Status fits = checkLength(state, needed, "prompt and answer together"); !fits) {
    return fits.error();
  }
  return AnswerDrawing(
      std::unique_ptr<State>(new State{.session = &state,
                                       .config = config,
                                       .sampler = Sampler(config),
                                       .logits = std::exchange(state.logits, at::Tensor())}));
}

std::optional<GeneratedToken> AnswerDrawing::draw() {
  State& state = *m_state;
  if (state.drawn == state.config.maxNewTokens) return std::nullopt;
  const GeneratedToken token = state.sampler.draw(
      {state.logits.const_data_ptr<float>(), static_cast<std::size_t>(state.logits.numel())});
  const auto& eos = state.session->engine->config().eos;
  if (state.config.stopAtEos && std::find(eos.begin(), eos.end(), token.id) != eos.end()) {
    state.finishReason = FinishReason::Eos;
    return std::nullopt;
  }
  ++state.drawn;
  state.last = token.id;
  return token;
}

Status AnswerDrawing::advance() {
  State& state = *m_state;
  if (state.drawn == state.config.maxNewTokens) return Done{};
  return guardTorch("generating", [&]() -> Status {
    Session::State& session = *state.session;
    Status kept = keepLogits(session, appendChunk(session, std::span(&state.last, 1)));
    if (kept) state.logits = std::exchange(session.logits, at::Tensor());
    return kept;
  });
}

FinishReason AnswerDrawing::finishReason() const {
  return m_state->finishReason;
}

}  // namespace ropescope
