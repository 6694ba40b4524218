// The measures of a sweep and their settings.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "core/eval/book_questions.h"
#include "core/eval/passkey_prompt.h"
#include "core/eval/settings_json.h"

namespace ropescope {

// Losses of windows (evaluation_windows.h), for paired comparisons.
struct SweepPerplexity {
  std::vector<std::int64_t> lengths;
  std::int64_t windowsPerBook = 0;  // 0: all
};

struct SweepPasskey {
  PasskeyRecipe recipe = PasskeyRecipe::Yarn;
  std::vector<std::int64_t> lengths;
  std::vector<double> depths{0.0, 0.25, 0.5, 0.75, 1.0};
  std::int64_t trials = 10;
  std::int64_t seed = 0;
  bool keepAnswers = true;  // false: results hold the counts alone
};

struct SweepQuestions {
  std::vector<std::int64_t> lengths;
  std::vector<QuestionType> types{kQuestionTypes.begin(), kQuestionTypes.end()};
  std::int64_t perType = 8;
  std::int64_t seed = 0;
  bool keepAnswers = true;  // false: results hold the counts alone
};

// From the objects "perplexity", "passkey" and "questions" of a settings file; unknown keys are
// refused, lengths are required.
Status readMeasure(const SettingsPlace& place, SweepPerplexity& measure);
Status readMeasure(const SettingsPlace& place, SweepPasskey& measure);
Status readMeasure(const SettingsPlace& place, SweepQuestions& measure);

}  // namespace ropescope
