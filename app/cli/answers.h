// Generation from the command line: sampling options, streamed text, one answer's record.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/cli/run.h"

namespace ropescope::cli {

// Errors: validate(). Settings and notices included.
Result<GenerationConfig> generationConfig(Run& run);

struct Answer {
  std::string text;                    // valid UTF-8; empty without a tokenizer
  std::vector<std::int32_t> tokenIds;  // without EOS
  PrefillResult prompt;
  FinishReason finishReason = FinishReason::Stopped;
  double prefillSeconds = 0.0;
  double decodeSeconds = 0.0;
};

// Prefill, then generate; text is printed as it comes when there is a tokenizer. A stop is no
// error: the answer so far says Stopped.
Result<Answer> answerParts(Run& run, Session& session,
                           const std::vector<std::vector<std::int32_t>>& parts,
                           const GenerationConfig& config);

// "41 tokens in 0.80 s (51/s), prompt 3,312 tokens in 4.10 s, 3,280 of them reused".
std::string answerStatistics(const Answer& answer);

Json answerJson(const Answer& answer);

}  // namespace ropescope::cli
