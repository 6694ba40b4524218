// What every retrieval measurement shares: a prompt of an exact number of tokens, and how an answer
// is judged.
//
// A prompt is put together from pieces that are encoded one by one and joined as ids, so that a
// filler can be cut at any token and the count comes out exactly. Pieces begin behind a line end or
// with a blank; there SentencePiece joins nothing across, and the ids are those of the whole text
// except where a cut falls within a word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/document/prompt_format.h"
#include "core/tokenizer/tokenizer.h"

namespace ropescope {

using TokenIds = std::vector<std::int32_t>;

struct RetrievalPrompt {
  std::vector<TokenIds> parts;   // BOS and document, then the question
  std::int64_t needleBegin = 0;  // position of the needle's first token, BOS counted
  std::string expected;          // the answer

  std::int64_t tokens() const;
};

// `text` as it stands inside a document: without the dummy prefix. Unsupported for a tokenizer that
// joins a line end with what follows it.
Result<Encoding> encodingInside(const Tokenizer& tokenizer, std::string_view text);
Result<TokenIds> encodeInside(const Tokenizer& tokenizer, std::string_view text);

// What stands around the text of a document.
struct DocumentFrame {
  TokenIds head;            // BOS and the format's words before the text
  TokenIds tail;            // its words behind the text
  bool textIsFirst = true;  // no words before the text: it gets the dummy prefix
};
Result<DocumentFrame> documentFrame(const PromptFormat& format, const Tokenizer& tokenizer);

struct Judgement {
  bool found = false;      // the answer is exactly what was wanted
  bool contained = false;  // what was wanted stands somewhere in the answer
};

// YaRN's program: the first run of digits, read as a number, is the key.
Judgement judgeKey(std::string_view answer, std::string_view key);

// The whole answer, white space at its ends and its width left aside.
Judgement judgeText(std::string_view answer, std::string_view expected);

}  // namespace ropescope
