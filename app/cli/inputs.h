// Documents, ids and prompts from the command line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/cli/run.h"
#include "core/document/document.h"

namespace ropescope::cli {

// What the model reads: ids, and where they stand in the text (no text for --tokens).
struct TokenInput {
  std::string name = {};  // of the file, for titles
  std::string text = {};
  std::vector<std::int32_t> ids = {};
  std::vector<ByteSpan> spans = {};  // of `text`; empty for --tokens
};

// --document or --tokens. A document gets BOS when the tokenizer adds one; ids stay as they are.
// Fills settings. Errors: those of the file, a slice out of range, an id outside the vocabulary.
Result<TokenInput> readTokenInput(Run& run);
// The same for a document that the command chose itself.
Result<TokenInput> readTokenInput(Run& run, const std::filesystem::path& document);

// One document's own tokens, without BOS, cut to --document-tokens.
Result<TokenInput> readDocumentTokens(Run& run, const std::filesystem::path& path);

// The text of --document, cut to --document-tokens at token borders.
Result<std::string> readDocumentText(Run& run, const std::filesystem::path& path);

// The ids of --tokens, as they are. Fills settings.
Result<std::vector<std::int32_t>> readTokensFile(Run& run);

// The cure for a document that does not fit into --context: the slice that would; empty for ids.
std::string sliceCure(const Run& run, const TokenInput& input);

// Cuts `range` to `size` where its end was left open; InvalidArgument when it reaches beyond.
Result<TokenRange> rangeWithin(const TokenRange& range, std::int64_t size, const char* option,
                               const std::string& what);

}  // namespace ropescope::cli
