// One context on an engine: rotary plan + KV cache + position.
//
// Confined to one thread at a time. Several sessions on one engine do not influence each other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/generation.h"
#include "core/model/calibration.h"
#include "core/probe/attention_map.h"
#include "core/rope/rope_method.h"

namespace ropescope {

class Engine;

struct SessionOptions {
  rope::MethodChoice rope;          // Engine::config().rope for what the model's config says
  std::int64_t contextTokens = 0;   // planned length = room in the cache, unless there is less:
  std::int64_t roomTokens = 0;      // room of a short reading under a long plan; 0: all of it
  std::shared_ptr<const Calibration> calibration;  // null: none
  double pscStrength = 1.0;         // P: 1 as trained, 0 identity
  bool lora = true;                 // the calibration's LoRA pairs
  std::vector<int> captureLayers;   // layers kept for maps: input and final log-sum-exp
  std::int64_t chunkTokens = 0;     // prefill step, stop reacts within one; 0: the engine's

  std::int64_t room() const {
    return roomTokens > 0 && roomTokens < contextTokens ? roomTokens : contextTokens;
  }
};

struct PrefillResult {
  std::int64_t promptTokens = 0;
  std::int64_t reusedTokens = 0;  // taken from the cache as they stood
};

struct Score {
  std::vector<double> nll;          // [T - 1] nats: loss of token i + 1 given tokens 0 … i
  std::vector<float> lastLogits;    // [V], after the last token
};

// nll[first …], as soon as a block is known.
using LossSink = std::function<void(std::int64_t first, std::span<const double> nll)>;

class Session {
 public:
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const rope::RotaryPlan& plan() const;
  const SessionOptions& options() const;
  std::int64_t position() const;               // tokens in the cache
  std::span<const std::int32_t> tokens() const;  // their ids
  std::int64_t cacheBytes() const;
  std::int64_t captureBytes() const;

  // Makes the cache hold the parts, one after the other, and keeps the logits after the last token.
  // What the cache holds already is reused as far as that is bit-exact: up to the last chunk border
  // (chunks end at multiples of chunkTokens and at the end of every part). A document part therefore
  // costs nothing for a second question. A stop returns Cancelled within one chunk; finished chunks
  // stay and are reused by the next call.
  // Errors: InvalidArgument (too long for the context, id outside the vocabulary), Cancelled.
  Result<PrefillResult> prefill(const std::vector<std::vector<std::int32_t>>& parts,
                                const JobControl& job);

  // Continues after prefill(). A stop is no error: finishReason says Stopped.
  Result<Generation> generate(const GenerationConfig& config, const TokenSink& onToken,
                              const JobControl& job);

  // Starts over, reads `ids` once and returns the loss of every token. Leaves the cache filled, so
  // that maps can be drawn afterwards.
  Result<Score> score(std::span<const std::int32_t> ids, const LossSink& onLosses,
                      const JobControl& job);

  // From captured data; no prefill. May be called from JobControl::betweenSteps.
  // Errors: InvalidArgument (layer not captured, head, ranges beyond position()), Cancelled.
  Result<AttentionMap> attentionMap(const MapRequest& request, const JobControl& job) const;

  // Forgets everything from `position` on; keeps the earlier tokens.
  void rewind(std::int64_t position);

  struct State;  // session_torch.h
  explicit Session(std::unique_ptr<State> state);
  const State& state() const { return *m_state; }  // for core/probe, which reads what was captured

 private:
  friend class PromptReading;  // prefill() and generate() in steps, answer_steps.h
  friend class AnswerDrawing;
  std::unique_ptr<State> m_state;
};

}  // namespace ropescope
