// Which tokens of a document each protocol reads together, and which of them it scores.
#pragma once

#include <cstdint>
#include <vector>

#include "core/eval/perplexity.h"

namespace ropescope {

// One reading of the model: own tokens begin … end - 1 of a document, BOS put in front when the
// tokenizer adds one. The last `scored` of them count.
struct ProtocolWindow {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t scored = 0;
};

// Windows of one document of `documentTokens` own tokens at one length (tokens of a window, BOS
// included); none when the document is too short to count there.
//
// sliding, truncate: eval/perplexity.py of jquesnelle/yarn (commit b1d7076). A window takes length
// - 1 own tokens with BOS, `length` without; one starts every `stride` tokens; the first scores
// all, later ones what the one before did not reach, and the last may be shorter. Truncate cuts the
// document to one window. The program takes shorter documents too, as one short window; here they
// do not count, as with its --dataset-min-tokens.
//
// llama.cpp: tools/perplexity/perplexity.cpp of ggml-org/llama.cpp (commit 050fc7f). The document
// with BOS in front, if any, is cut into chunks of `length`; what is left over is not read. BOS
// replaces the first token of every chunk. The predictions at positions length / 2 … length - 2 are
// scored, length - length / 2 - 1 of them. A document needs 2 * length tokens.
std::vector<ProtocolWindow> protocolWindows(const PerplexityConfig& config, std::int64_t length,
                                            std::int64_t documentTokens, bool bos);

// The longest length at which a document of so many own tokens counts.
std::int64_t longestLength(Protocol protocol, std::int64_t documentTokens, bool bos);
// InvalidArgument when the longest document, of so many own tokens, does not count at the longest
// length.
Status checkReach(const PerplexityConfig& config, std::int64_t longestDocument, bool bos);

}  // namespace ropescope
