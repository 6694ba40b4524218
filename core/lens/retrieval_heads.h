// The copy test: which heads find an earlier occurrence of what is being read and look at what came
// next. No document is read for it: the prompt is its own, a few hundred tokens in a small session.
//
// Prompt: BOS r_1 … r_n r_1 … r_n, with n different tokens drawn at random, so that nothing but the
// first stretch says how the second goes on. BOS is at position 0. For head h, reading r_s for the
// second time:
//
//   score(h)    = mean over s = 1 … n - 1 of a_h(n + s, s + 1)
//   copyRate(h) = share of these s at which s + 1 is the key with the largest a_h(n + s, ·)
//
// Both are averaged over prompts; the standard error is that of the score's mean over prompts.
// score is the prefix matching score of induction heads, measured on repeated random tokens (Olsson
// et al., arXiv 2209.11895). copyRate is the criterion of retrieval heads (Wu et al., arXiv
// 2404.15574): a head copies a token when it is the one that the head attends to most and the one
// that comes next. There it counts over the tokens of a needle that the model generates; here the
// next token is given.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/lens/head_set.h"

namespace ropescope {

// Heads of a larger copyRate are retrieval heads in arXiv 2404.15574 (less than 5 % of the heads of
// the models there).
inline constexpr double kRetrievalCopyRate = 0.1;

struct CopyTest {
  std::int64_t repeatTokens = 0;  // n; 0: up to 256, as many as fit twice into the trained length
  int prompts = 5;                // of different tokens; at least 2, for the standard error
  std::uint64_t seed = 0;
  bool operator==(const CopyTest&) const = default;
};

struct CopyTestResult {
  CopyTest test;                 // with the n that was used
  std::vector<HeadScore> heads;  // all heads, best score first
};

// The ids of prompt number `index`: 2 n + 1, or 2 n when the model has no BOS. Control tokens and
// single bytes are not drawn. Errors: InvalidArgument when the vocabulary is too small.
Result<std::vector<std::int32_t>> copyPrompt(const Engine& engine, const CopyTest& test, int index);

// Runs the test in a session of its own under `plan`: method, planned length and calibration count,
// its capture layers do not. Memory for one prompt, whatever the planned length.
// Errors: InvalidArgument (n, prompts), Cancelled, and those of newSession() and prefill().
Result<CopyTestResult> findRetrievalHeads(const Engine& engine, const SessionOptions& plan,
                                          const CopyTest& test, const JobControl& job);

}  // namespace ropescope
