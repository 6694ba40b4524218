// One method at one length, answering prompts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/eval/perplexity.h"
#include "core/eval/retrieval_prompt.h"

namespace ropescope {

// Where a measurement stands: its longest length decides a factor that was left open, its own a
// factor that follows the length.
struct LengthPlan {
  std::int64_t longest = 0;
  std::int64_t length = 0;      // tokens of the prompts
  std::int64_t answerRoom = 0;  // tokens behind it; the planned length is both together
};

rope::MethodChoice choiceAt(const CurveSettings& settings, const Engine& engine,
                            const LengthPlan& at);

// Before any work: can such a session be made? Plan, calibration and memory; errors name the
// method.
Status checkPlan(const Engine& engine, const CurveSettings& settings, const LengthPlan& at);

Result<std::unique_ptr<Session>> sessionAt(const Engine& engine, const CurveSettings& settings,
                                           const LengthPlan& at);

// The likeliest tokens up to EOS, as valid UTF-8. Parts that the session holds already are not read
// again. A stop is Cancelled.
Result<std::string> greedyAnswer(const Engine& engine, Session& session,
                                 const std::vector<TokenIds>& parts, std::int64_t mostTokens,
                                 const JobControl& job);

}  // namespace ropescope
