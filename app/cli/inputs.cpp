#include "app/cli/inputs.h"

#include <limits>

#include "core/base/file_io.h"
#include "core/base/json_text.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/tokenizer/utf8.h"

namespace ropescope::cli {
namespace {

std::string rangeText(const TokenRange& range) {
  const bool open = range.end == std::numeric_limits<std::int64_t>::max();
  return std::to_string(range.begin) + ":" + (open ? "" : std::to_string(range.end));
}

Status checkVocabulary(const std::vector<std::int32_t>& ids, int vocabularySize,
                       const std::string& name) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= vocabularySize) {
      return Error{ErrorCode::InvalidArgument,
                   name + ": id " + std::to_string(ids[i]) + " at index " + std::to_string(i) +
                       " is outside the vocabulary of " + std::to_string(vocabularySize) +
                       " ids (0 to " + std::to_string(vocabularySize - 1) +
                       "); were the ids made with another model's tokenizer?"};
    }
  }
  return Done{};
}

Result<std::vector<std::int32_t>> idsFrom(const std::string& text, const std::string& name) {
  const auto json = parseJson(text, name);
  if (!json) return json.error();
  if (!json->is_array() || json->empty()) {
    return Error{ErrorCode::InvalidArgument, name + " holds " + shortText(*json) +
                                                 "; a JSON array of token ids is wanted, such as "
                                                 "[1, 403, 407]"};
  }
  std::vector<std::int32_t> ids;
  ids.reserve(json->size());
  for (const auto& item : *json) {
    const bool fits = item.is_number_integer() &&
                      (item.is_number_unsigned()
                           ? item.get<std::uint64_t>() <= std::numeric_limits<std::int32_t>::max()
                           : item.get<std::int64_t>() >= std::numeric_limits<std::int32_t>::min());
    if (!fits) {
      return Error{ErrorCode::InvalidArgument, name + ": item " + std::to_string(ids.size()) +
                                                   " is " + shortText(item) +
                                                   "; whole numbers (token ids) are wanted"};
    }
    ids.push_back(item.get<std::int32_t>());
  }
  return ids;
}

}  // namespace

Result<TokenRange> rangeWithin(const TokenRange& range, std::int64_t size, const char* option,
                               const std::string& what) {
  TokenRange cut = range;
  if (cut.end == std::numeric_limits<std::int64_t>::max()) cut.end = size;
  if (cut.begin < cut.end && cut.end <= size) return cut;
  return Error{ErrorCode::InvalidArgument,
               std::string(option) + " is " + rangeText(range) + ", " + what + " has " +
                   tokensText(size) + "; give a range within 0:" + std::to_string(size)};
}

Result<std::vector<std::int32_t>> readTokensFile(Run& run) {
  const std::filesystem::path& path = *run.options().tokens;
  const auto text = readFile(path);
  if (!text) return text.error();
  auto ids = idsFrom(*text, path.string());
  if (!ids) return ids;
  const int vocabularySize = run.engine().config().vocabularySize;
  if (Status valid = checkVocabulary(*ids, vocabularySize, path.string()); !valid) {
    return valid.error();
  }
  if (const auto tokenizer = run.tokenizer();
      !tokenizer && tokenizer.error().code != ErrorCode::NotFound) {
    run.notice("ids are taken without a tokenizer: " + tokenizer.error().message);
  }
  run.settings()["tokens_file"] = path.string();
  run.settings()["tokens_sha256"] = sha256Json(path);
  run.settings()["bos"] = false;
  return ids;
}

Result<TokenInput> readDocumentTokens(Run& run, const std::filesystem::path& path) {
  const auto tokenizer = run.tokenizer();
  if (!tokenizer) return tokenizer.error();
  auto document = readDocument(path);
  if (!document) return document.error();
  if (!document->notice.empty()) run.notice(document->notice);
  TokenInput input{.name = path.filename().string(), .text = std::move(document->text)};
  Encoding encoding = (*tokenizer)->encode(input.text);
  const auto size = static_cast<std::int64_t>(encoding.ids.size());
  TokenRange range{.begin = 0, .end = size};
  if (run.options().documentTokens) {
    auto cut = rangeWithin(*run.options().documentTokens, size, "--document-tokens", input.name);
    if (!cut) return cut.error();
    range = *cut;
  }
  input.ids.assign(encoding.ids.begin() + range.begin, encoding.ids.begin() + range.end);
  input.spans.assign(encoding.spans.begin() + range.begin, encoding.spans.begin() + range.end);
  run.settings()["document"] = path.string();
  run.settings()["document_sha256"] = sha256Json(path);
  run.settings()["document_tokens"] = {range.begin, range.end};
  return input;
}

Result<std::string> readDocumentText(Run& run, const std::filesystem::path& path) {
  auto input = readDocumentTokens(run, path);
  if (!input) return input.error();
  if (!run.options().documentTokens) return std::move(input->text);
  std::string text(input->text, static_cast<std::size_t>(input->spans.front().begin),
                   static_cast<std::size_t>(input->spans.back().end - input->spans.front().begin));
  if (firstInvalidUtf8(text)) {
    return Error{ErrorCode::InvalidArgument,
                 "--document-tokens " + rangeText(*run.options().documentTokens) +
                     " cuts a character of several bytes in two; move an end by one or two tokens"};
  }
  return text;
}

std::string sliceCure(const Run& run, const TokenInput& input) {
  const Options& options = run.options();
  if (options.tokens || !options.context) return {};
  const std::int64_t begin = options.documentTokens ? options.documentTokens->begin : 0;
  const auto bos = static_cast<std::int64_t>(!input.spans.empty() &&
                                             input.spans.front().begin == input.spans.front().end);
  if (*options.context <= bos) return {};
  return ", or take a part with --document-tokens " + std::to_string(begin) + ":" +
         std::to_string(begin + *options.context - bos);
}

Result<TokenInput> readTokenInput(Run& run, const std::filesystem::path& document) {
  auto input = readDocumentTokens(run, document);
  if (!input) return input;
  const auto tokenizer = run.tokenizerOrNull();
  run.settings()["bos"] = tokenizer->addsBos();
  if (tokenizer->addsBos()) {
    const std::int64_t start = input->spans.empty() ? 0 : input->spans.front().begin;
    input->ids.insert(input->ids.begin(), tokenizer->bos());
    input->spans.insert(input->spans.begin(), ByteSpan{start, start});
  }
  return input;
}

Result<TokenInput> readTokenInput(Run& run) {
  if (!run.options().tokens) return readTokenInput(run, run.options().documents.front());
  auto ids = readTokensFile(run);
  if (!ids) return ids.error();
  return TokenInput{.name = run.options().tokens->filename().string(), .ids = *std::move(ids)};
}

}  // namespace ropescope::cli
