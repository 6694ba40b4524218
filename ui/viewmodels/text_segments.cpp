#include "ui/viewmodels/text_segments.h"

#include "core/eval/token_passages.h"

namespace ropescope::ui {

TextSegments segmentsOf(const OpenDocument& document, Granularity granularity) {
  if (granularity == Granularity::Token) return {};
  const std::string& text = document.document.text;
  std::vector<TokenPassage> passages =
      sentencePassages(text, document.part.spans, document.part.contentBegin);
  if (granularity == Granularity::Paragraph) passages = paragraphPassages(text, passages);
  TextSegments segments;
  segments.borders = passageBorders(passages, document.tokens());
  for (const TokenPassage& passage : passages) {
    const auto begin = static_cast<std::size_t>(passage.bytes.begin);
    const auto end = static_cast<std::size_t>(passage.bytes.end);
    segments.texts << QString::fromUtf8(text.data() + begin, static_cast<qsizetype>(end - begin));
  }
  return segments;
}

}  // namespace ropescope::ui
