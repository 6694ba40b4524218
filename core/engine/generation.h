// How an answer is drawn from the model, and what comes back.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace ropescope {

struct GenerationConfig {
  std::int64_t maxNewTokens = 256;
  double temperature = 0.0;  // 0: greedy
  double topP = 1.0;         // in (0, 1]; 1: off
  std::int64_t topK = 0;     // 0: off
  std::uint64_t seed = 0;
  bool stopAtEos = true;
};

// InvalidArgument names the field, what it is and what is wanted.
Status validate(const GenerationConfig& config);

enum class FinishReason { Eos, Length, Stopped };
constexpr std::string_view finishReasonName(FinishReason reason) {
  switch (reason) {
    case FinishReason::Eos: return "eos";
    case FinishReason::Length: return "length";
    case FinishReason::Stopped: return "stopped";
  }
  return "stopped";
}

struct GeneratedToken {
  std::int32_t id = 0;
  double logProbability = 0.0;  // nats, under temperature 1, no cut-offs
};

struct Generation {
  std::vector<GeneratedToken> tokens;  // without EOS
  FinishReason finishReason = FinishReason::Length;
};

// Called for every token as it is drawn, on the thread that runs the job.
using TokenSink = std::function<void(const GeneratedToken&)>;

}  // namespace ropescope
