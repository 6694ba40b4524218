// tokenize: ids, pieces and byte ranges of a text.
#include "app/cli/commands.h"
#include "app/cli/inputs.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/tokenizer/utf8.h"

namespace ropescope::cli {
namespace {

// Blanks and line ends made visible.
std::string visible(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    if (c == '\n')
      shown += "⏎";
    else if (c == '\t')
      shown += "⇥";
    else
      shown += c;
  }
  return replaceInvalidUtf8(shown);
}

Result<TokenInput> readInput(Run& run) {
  if (!run.options().text) return readDocumentTokens(run, run.options().documents.front());
  const auto tokenizer = run.tokenizer();
  if (!tokenizer) return tokenizer.error();
  const std::string& text = *run.options().text;
  if (const auto bad = firstInvalidUtf8(text)) {
    return Error{ErrorCode::InvalidArgument,
                 "--text is not UTF-8 (first wrong byte at offset " + std::to_string(*bad) + ")"};
  }
  if (run.options().documentTokens) {
    return Error{ErrorCode::InvalidArgument, "--document-tokens cuts a --document, not --text"};
  }
  Encoding encoding = (*tokenizer)->encode(text);
  run.settings()["text"] = text;
  return TokenInput{.name = "text",
                    .text = text,
                    .ids = std::move(encoding.ids),
                    .spans = std::move(encoding.spans)};
}

}  // namespace

Status runTokenize(Run& run) {
  auto input = readInput(run);
  if (!input) return input.error();
  const auto tokenizer = run.tokenizerOrNull();
  if (tokenizer->addsBos()) {
    const std::int64_t start = input->spans.empty() ? 0 : input->spans.front().begin;
    input->ids.insert(input->ids.begin(), tokenizer->bos());
    input->spans.insert(input->spans.begin(), ByteSpan{start, start});
  }
  run.settings()["bos"] = tokenizer->addsBos();
  Json pieces = Json::array();
  Json spans = Json::array();
  Table table({"index", "id", "bytes", "piece", "text"}, 3);
  for (std::size_t i = 0; i < input->ids.size(); ++i) {
    const ByteSpan& span = input->spans[i];
    pieces.push_back(tokenizer->piece(input->ids[i]));
    spans.push_back({span.begin, span.end});
    table.add({std::to_string(i), std::to_string(input->ids[i]),
               std::to_string(span.begin) + "–" + std::to_string(span.end),
               tokenizer->piece(input->ids[i]),
               visible(std::string_view(input->text)
                           .substr(static_cast<std::size_t>(span.begin),
                                   static_cast<std::size_t>(span.end - span.begin)))});
  }
  run.fields()["tokens"] = input->ids;
  run.fields()["pieces"] = std::move(pieces);
  run.fields()["spans"] = std::move(spans);
  run.console().print(table.text() + "  " +
                      countText(static_cast<std::int64_t>(input->ids.size())) + " tokens" +
                      (tokenizer->addsBos() ? " with BOS" : "") + "\n");
  return Done{};
}

}  // namespace ropescope::cli
