// What surrounds a plot: title, subtitle and footer, wrapped so that nothing is cut off.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/picture/canvas.h"
#include "core/picture/font.h"
#include "core/picture/theme.h"

namespace ropescope::picture {

inline constexpr double kPageMargin = 28;  // points

struct PageTexts {
  std::string title;
  std::string subtitle;
  std::string footer;
};

// The same texts in lines. The plot may use what lies between `top` and the canvas height minus
// `bottom`.
struct Page {
  std::vector<std::string> title;
  std::vector<std::string> subtitle;
  std::vector<std::string> footer;
  double top = 0;
  double bottom = 0;
};

// Breaks at spaces, and inside a word that alone is wider than `width` (same unit as `size`). A
// newline in the text always breaks.
std::vector<std::string> wrapText(const Font& font, std::string_view text, double size,
                                  double width);

// Unsupported without a font.
Result<Page> layoutPage(const PageTexts& texts, const Theme& theme, double width);

void drawPage(Canvas& canvas, const Page& page, const Theme& theme);

}  // namespace ropescope::picture
