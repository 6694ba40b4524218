#include "core/eval/retrieval_prompt.h"

#include "core/eval/sentences.h"

namespace ropescope {
namespace {

constexpr std::string_view kDigits = "0123456789";

std::string_view withoutLeadingZeros(std::string_view number) {
  while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
  return number;
}

}  // namespace

std::int64_t RetrievalPrompt::tokens() const {
  std::int64_t tokens = 0;
  for (const TokenIds& part : parts) tokens += static_cast<std::int64_t>(part.size());
  return tokens;
}

Result<Encoding> encodingInside(const Tokenizer& tokenizer, std::string_view text) {
  constexpr std::string_view kLineEnd = "\n";
  const std::size_t prefixIds = tokenizer.encode(kLineEnd).ids.size();
  auto encoding = tokenizer.encodeAfter(kLineEnd, prefixIds, text);
  if (!encoding) {
    return Error{ErrorCode::Unsupported,
                 "the model's tokenizer joins a line end with the text behind it, so that a prompt "
                 "of an exact number of tokens cannot be put together; use a model whose tokenizer "
                 "keeps line ends apart, as Llama's does"};
  }
  return encoding;
}

Result<TokenIds> encodeInside(const Tokenizer& tokenizer, std::string_view text) {
  auto encoding = encodingInside(tokenizer, text);
  if (!encoding) return encoding.error();
  return std::move(encoding->ids);
}

Result<DocumentFrame> documentFrame(const PromptFormat& format, const Tokenizer& tokenizer) {
  constexpr std::string_view kText = "{text}";
  const auto at = format.document.find(kText);
  const std::string before = format.document.substr(0, at);
  DocumentFrame frame;
  if (tokenizer.addsBos()) frame.head.push_back(tokenizer.bos());
  if (!before.empty()) {
    const TokenIds ids = tokenizer.encode(before).ids;
    frame.head.insert(frame.head.end(), ids.begin(), ids.end());
    frame.textIsFirst = false;
  }
  auto tail = encodeInside(tokenizer, std::string_view(format.document).substr(at + kText.size()));
  if (!tail) return tail.error();
  frame.tail = *std::move(tail);
  return frame;
}

Judgement judgeKey(std::string_view answer, std::string_view key) {
  const auto begin = answer.find_first_of(kDigits);
  if (begin == std::string_view::npos) return {};
  const auto end = answer.find_first_not_of(kDigits, begin);
  const auto digits = answer.substr(begin, end == std::string_view::npos ? end : end - begin);
  return {.found = withoutLeadingZeros(digits) == withoutLeadingZeros(key),
          .contained = answer.find(key) != std::string_view::npos};
}

Judgement judgeText(std::string_view answer, std::string_view expected) {
  const std::string given = squeezed(answer);
  const std::string wanted = squeezed(expected);
  return {.found = given == wanted, .contained = given.find(wanted) != std::string::npos};
}

}  // namespace ropescope
