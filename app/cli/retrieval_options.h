// What only passkey, needle and questions take.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/eval/passkey_prompt.h"
#include "core/eval/text_questions.h"

namespace ropescope::cli {

struct RetrievalOptions {
  std::vector<double> depths;  // empty: 0, 0.25, 0.5, 0.75, 1
  std::optional<std::int64_t> trials;
  std::optional<PasskeyRecipe> recipe;
  std::optional<double> threshold;
  std::string needle;
  std::string answer;
  std::int64_t count = 40;
  std::vector<QuestionType> types;  // empty: all
};

}  // namespace ropescope::cli
