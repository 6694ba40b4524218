// Sentences of a text in its tokens, and numbers per token added up over them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/tokenizer/tokenizer.h"

namespace ropescope {

// Tokens [firstToken, endToken) that write the bytes of one sentence. A token that begins with the
// blank before a sentence belongs to that sentence.
struct TokenPassage {
  std::int64_t firstToken = 0;
  std::int64_t endToken = 0;
  ByteSpan bytes;  // of `text`, without the white space around the sentence
  std::int64_t tokens() const { return endToken - firstToken; }
  bool operator==(const TokenPassage&) const = default;
};

// Sentences (sentences.h), which also end at blank lines: a heading is one of its own. `text`
// begins at byte `textBegin` of what the spans count in; tokens outside of it belong to no
// sentence.
std::vector<TokenPassage> sentencePassages(std::string_view text, std::span<const ByteSpan> spans,
                                           std::int64_t textBegin = 0);

// Paragraphs: sentences without a blank line between them, as one.
std::vector<TokenPassage> paragraphPassages(std::string_view text,
                                            std::span<const TokenPassage> sentences);

// Where passages begin, as ascending positions from 0 to `tokens`: what stands before the first
// passage or between two belongs to the one before (to the first where there is none).
std::vector<std::int64_t> passageBorders(std::span<const TokenPassage> passages,
                                         std::int64_t tokens);

// The passage that holds a token; -1: none.
std::int64_t passageOf(std::span<const TokenPassage> passages, std::int64_t token);

// Per passage the sum over its tokens from `firstToken` on. Tokens beyond the numbers count as 0.
std::vector<double> passageSums(std::span<const TokenPassage> passages,
                                std::span<const double> perToken, std::int64_t firstToken = 0);
// Per passage the mean over its tokens that have a number; NaN when these are fewer than
// `leastTokens`.
std::vector<double> passageMeans(std::span<const TokenPassage> passages,
                                 std::span<const double> perToken, std::int64_t leastTokens);

// Indices of the `count` largest values, the largest first; NaN and 0 are left out.
std::vector<std::size_t> largest(std::span<const double> values, std::size_t count);

}  // namespace ropescope
