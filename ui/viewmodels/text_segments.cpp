#include "ui/viewmodels/text_segments.h"

#include <algorithm>

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

TextSegments firstSegments(TextSegments segments, std::int64_t tokens) {
  std::erase_if(segments.borders, [tokens](std::int64_t border) { return border > tokens; });
  const auto left = std::max<qsizetype>(0, std::ssize(segments.borders) - 1);
  segments.texts.resize(std::min(segments.texts.size(), left));
  return segments;
}

}  // namespace ropescope::ui
