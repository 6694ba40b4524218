#include "core/picture/page.h"

namespace ropescope::picture {
namespace {

constexpr double kLeading = 1.35;  // line height over text size
constexpr double kGapBelowTitle = 4;
constexpr double kGapBelowHeader = 18;
constexpr double kGapAboveFooter = 16;

double blockHeight(const std::vector<std::string>& lines, double size) {
  return static_cast<double>(lines.size()) * size * kLeading;
}

// How many bytes of `word` fit, at least one character.
std::size_t fittingBytes(const Font& font, std::string_view word, double size, double width) {
  const auto continues = [&word](std::size_t i) {
    return i < word.size() && (static_cast<unsigned char>(word[i]) & 0xC0U) == 0x80U;
  };
  std::size_t fits = 0;
  for (std::size_t end = 1; end <= word.size(); ++end) {
    if (continues(end)) continue;
    if (fits > 0 && font.textWidth(word.substr(0, end), size) > width) break;
    fits = end;
  }
  return fits;
}

void wrapParagraph(const Font& font, std::string_view text, double size, double width,
                   std::vector<std::string>& lines) {
  std::string line;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    const std::string longer = line.empty() ? std::string(word) : line + " " + std::string(word);
    if (font.textWidth(longer, size) <= width) {
      line = longer;
      continue;
    }
    if (!line.empty()) lines.push_back(line);
    while (font.textWidth(word, size) > width) {
      const std::size_t fits = fittingBytes(font, word, size, width);
      if (fits == word.size()) break;  // one character wider than the line
      lines.emplace_back(word.substr(0, fits));
      word.remove_prefix(fits);
    }
    line = word;
  }
  if (!line.empty()) lines.push_back(line);
}

double drawLines(Canvas& canvas, const std::vector<std::string>& lines, double top,
                 const TextStyle& style) {
  for (const std::string& line : lines) {
    canvas.text({kPageMargin, top + style.size}, line, style);
    top += style.size * kLeading;
  }
  return top;
}

}  // namespace

std::vector<std::string> wrapText(const Font& font, std::string_view text, double size,
                                  double width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    wrapParagraph(font, text.substr(0, end), size, width, lines);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

Result<Page> layoutPage(const PageTexts& texts, const Theme& theme, double width) {
  const auto regular = Font::embedded(FontWeight::Regular);
  if (!regular) return regular.error();
  const auto bold = Font::embedded(FontWeight::Bold);
  if (!bold) return bold.error();
  const double room = width - 2 * kPageMargin;
  Page page;
  page.title = wrapText(*bold, texts.title, theme.titleSize, room);
  page.subtitle = wrapText(*regular, texts.subtitle, theme.subtitleSize, room);
  page.footer = wrapText(*regular, texts.footer, theme.footerSize, room);
  const double header = blockHeight(page.title, theme.titleSize) + kGapBelowTitle +
                        blockHeight(page.subtitle, theme.subtitleSize);
  page.top = kPageMargin - 4 + header + kGapBelowHeader;
  page.bottom = kPageMargin - 8;
  if (!page.footer.empty()) {
    page.bottom += blockHeight(page.footer, theme.footerSize) + kGapAboveFooter;
  }
  return page;
}

void drawPage(Canvas& canvas, const Page& page, const Theme& theme) {
  const double below =
      drawLines(canvas, page.title, kPageMargin - 4,
                {.size = theme.titleSize, .color = theme.ink, .weight = FontWeight::Bold});
  drawLines(canvas, page.subtitle, below + kGapBelowTitle,
            {.size = theme.subtitleSize, .color = theme.mutedInk});
  drawLines(canvas, page.footer, canvas.height() - page.bottom + kGapAboveFooter,
            {.size = theme.footerSize, .color = theme.mutedInk});
}

}  // namespace ropescope::picture
