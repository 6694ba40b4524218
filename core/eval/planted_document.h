// A sentence planted in a book: documents of an exact number of tokens with a question behind them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "core/base/result.h"
#include "core/eval/retrieval_prompt.h"

namespace ropescope {

// A text as tokens.
struct BookTokens {
  std::string name;
  std::string text;
  TokenIds ids;  // without BOS and dummy prefix
  std::vector<ByteSpan> spans;
  // Ascending indices of tokens that begin with the white space behind a sentence: a sentence can
  // be planted before each of them.
  std::vector<std::int64_t> borders;

  std::int64_t size() const { return static_cast<std::int64_t>(ids.size()); }
};
Result<std::shared_ptr<const BookTokens>> bookTokens(const Tokenizer& tokenizer, std::string name,
                                                     std::string text);

struct NeedlePlace {
  std::int64_t length = 0;  // tokens of the whole prompt, BOS and question included
  double depth = 0.0;       // share of the document's text before the needle: 0 start, 1 end
};

class PlantedPrompts {
 public:
  // Errors: those of the format and the tokenizer.
  static Result<PlantedPrompts> make(std::shared_ptr<const Tokenizer> tokenizer,
                                     const PromptFormat& format,
                                     std::shared_ptr<const BookTokens> book,
                                     const std::string& question);

  // Tokens of a prompt with no text but the needle.
  Result<std::int64_t> leastLength(const std::string& needle) const;

  // The needle stands at exactly the token of its depth, between two sentences: the window of the
  // book is chosen to suit, at random among all that do.
  // Errors: InvalidArgument (length too short, book too short, no sentence border that suits).
  Result<RetrievalPrompt> atDepth(const std::string& needle, const NeedlePlace& place,
                                  SplitMix& random) const;

  // The window starts `share` (0 to 1) of the way into what the book has to spare; the needle
  // stands at the sentence border nearest its depth. The window's two ends count as borders.
  // Errors: InvalidArgument (length too short, book too short).
  Result<RetrievalPrompt> inWindow(const std::string& needle, const NeedlePlace& place,
                                   double share) const;

 private:
  struct Cut {
    std::int64_t begin = 0;   // first token of the book
    std::int64_t before = 0;  // its tokens before the needle
    std::int64_t after = 0;   // and behind it
  };
  PlantedPrompts() = default;
  // Of text at the document's start, and of a needle between sentences.
  Result<TokenIds> idsAtStart(const std::string& text) const;
  Result<TokenIds> idsInside(const std::string& needle) const;
  Result<std::int64_t> roomFor(const TokenIds& needle, std::int64_t length) const;
  RetrievalPrompt assemble(const TokenIds& needle, const Cut& cut) const;

  std::shared_ptr<const Tokenizer> m_tokenizer;
  std::shared_ptr<const BookTokens> m_book;
  DocumentFrame m_frame;
  TokenIds m_question;
};

}  // namespace ropescope
