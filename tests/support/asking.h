// Prompts answered, and compared to the last bit.
#pragma once

#include <vector>

#include <gtest/gtest.h>

#include "core/engine/session.h"
#include "tests/support/test_models.h"

namespace ropescope::test {

using Parts = std::vector<Ids>;

inline constexpr GenerationConfig kAnswer{.maxNewTokens = 24, .stopAtEos = false};

struct Answer {
  Ids ids;
  std::vector<double> logProbabilities;
  bool operator==(const Answer&) const = default;
};

inline Answer answerOf(const Generation& generation) {
  Answer answer;
  for (const GeneratedToken& token : generation.tokens) {
    answer.ids.push_back(token.id);
    answer.logProbabilities.push_back(token.logProbability);
  }
  return answer;
}

// `job` goes to both steps.
inline Answer ask(Session& session, const Parts& parts, const JobControl& job = {},
                  const GenerationConfig& config = kAnswer) {
  const auto prefilled = session.prefill(parts, job);
  EXPECT_TRUE(prefilled) << prefilled.error().message;
  if (!prefilled) return {};
  const auto generation = session.generate(config, {}, job);
  EXPECT_TRUE(generation) << generation.error().message;
  return generation ? answerOf(*generation) : Answer{};
}

// Asks for a stop after `steps` finished chunks or tokens.
struct StopAfter {
  explicit StopAfter(int steps) {
    if (steps == 0) source.request_stop();
    job.stop = source.get_token();
    job.betweenSteps = [this, steps] {
      if (++done == steps) source.request_stop();
    };
  }
  std::stop_source source;
  JobControl job;
  int done = 0;
};

}  // namespace ropescope::test
