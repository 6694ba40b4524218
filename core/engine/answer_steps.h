// Reading a prompt and answering it in steps, for sessions that take turns on one thread. Stepped
// to their ends, they are Session::prefill() and Session::generate(), bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/engine/session.h"

namespace ropescope {

// The session must outlive it, and nothing else may change the session meanwhile.
class PromptReading {
 public:
  // Keeps of the cache what can stay, forgets the rest. Errors as in Session::prefill().
  static Result<PromptReading> begin(Session& session,
                                     const std::vector<std::vector<std::int32_t>>& parts);

  bool isDone() const { return m_next == m_chunkEnds.size(); }
  Status readChunk();  // not once it is done
  const PrefillResult& result() const { return m_result; }

 private:
  explicit PromptReading(Session& session) : m_session(&session) {}

  Session* m_session;
  std::vector<std::int32_t> m_ids;
  std::vector<std::int64_t> m_chunkEnds;
  std::size_t m_next = 0;  // chunk to read
  PrefillResult m_result;
};

// As PromptReading. draw(), hand the token out, advance(), and again until there is none.
class AnswerDrawing {
 public:
  // Errors as in Session::generate().
  static Result<AnswerDrawing> begin(Session& session, const GenerationConfig& config);
  ~AnswerDrawing();
  AnswerDrawing(AnswerDrawing&&) noexcept;
  AnswerDrawing& operator=(AnswerDrawing&&) noexcept;

  std::optional<GeneratedToken> draw();  // none: the answer is over
  Status advance();                      // reads what was drawn, if more may follow
  FinishReason finishReason() const;     // once it is over

 private:
  struct State;
  explicit AnswerDrawing(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

}  // namespace ropescope
