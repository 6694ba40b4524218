#include "core/picture/font.h"

#include <algorithm>
#include <cmath>

#include "core/picture/embedded_font.h"

#ifdef ROPESCOPE_HAVE_STB
#define STB_TRUETYPE_IMPLEMENTATION
#define STBTT_STATIC
#include <stb/stb_truetype.h>
#endif

namespace ropescope::picture {

Error picturesUnsupported() {
  return {ErrorCode::Unsupported,
          "pictures: this program was built without the stb headers or a font; install libstb-dev "
          "and fonts-dejavu-core and configure again"};
}

#ifdef ROPESCOPE_HAVE_STB
namespace {

constexpr int kReplacement = 0xFFFD;

// Takes one code point off the front of `rest`.
int nextCodePoint(std::string_view& rest) {
  const auto byte = [&rest](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  int code = length == 1   ? first
             : length == 2 ? first & 0x1F
             : length == 3 ? first & 0x0F
                           : first & 0x07;
  bool valid = length > 0 && length <= rest.size();
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = (byte(i) & 0xC0) == 0x80;
    code = code << 6 | (byte(i) & 0x3F);
  }
  rest.remove_prefix(valid ? length : 1);
  return valid ? code : kReplacement;
}

// `column` and `row` are relative to the pen, like TextBitmap::left and top.
void placeLetter(TextBitmap& bitmap, const std::vector<std::uint8_t>& letter, int width, int height,
                 int column, int row) {
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int toX = column + x - bitmap.left;
      const int toY = row + y - bitmap.top;
      if (toX < 0 || toX >= bitmap.width || toY < 0 || toY >= bitmap.height) continue;
      auto& pixel =
          bitmap.coverage[static_cast<std::size_t>(toY) * static_cast<std::size_t>(bitmap.width) +
                          static_cast<std::size_t>(toX)];
      pixel = std::max(pixel, letter[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                                     static_cast<std::size_t>(x)]);
    }
  }
}

}  // namespace

struct Font::Face {
  stbtt_fontinfo info{};

  double scale(double size) const {
    return stbtt_ScaleForMappingEmToPixels(&info, static_cast<float>(size));
  }
};

Result<Font> Font::embedded(FontWeight weight) {
  const auto bytes = embeddedFont(weight);
  if (bytes.empty()) return picturesUnsupported();
  auto face = std::make_shared<Face>();
  const int offset = stbtt_GetFontOffsetForIndex(bytes.data(), 0);
  if (offset < 0 || stbtt_InitFont(&face->info, bytes.data(), offset) == 0) {
    return Error{ErrorCode::Unsupported,
                 "pictures: the font compiled into this program is not a TrueType font; configure "
                 "again with ROPESCOPE_FONT naming a .ttf file"};
  }
  return Font(std::move(face));
}

double Font::textWidth(std::string_view text, double size) const {
  double units = 0;
  int previous = 0;
  while (!text.empty()) {
    const int glyph = stbtt_FindGlyphIndex(&m_face->info, nextCodePoint(text));
    int advance = 0;
    int bearing = 0;
    stbtt_GetGlyphHMetrics(&m_face->info, glyph, &advance, &bearing);
    if (previous != 0) units += stbtt_GetGlyphKernAdvance(&m_face->info, previous, glyph);
    units += advance;
    previous = glyph;
  }
  return units * m_face->scale(size);
}

double Font::capitalHeight(double size) const {
  int x0 = 0;
  int y0 = 0;
  int x1 = 0;
  int y1 = 0;
  stbtt_GetCodepointBox(&m_face->info, 'H', &x0, &y0, &x1, &y1);
  return y1 * m_face->scale(size);
}

double Font::ascent(double size) const {
  int up = 0;
  stbtt_GetFontVMetrics(&m_face->info, &up, nullptr, nullptr);
  return up * m_face->scale(size);
}

double Font::descent(double size) const {
  int down = 0;
  stbtt_GetFontVMetrics(&m_face->info, nullptr, &down, nullptr);
  return -down * m_face->scale(size);
}

TextBitmap Font::render(std::string_view text, double size, double shift) const {
  constexpr int kPad = 2;  // letters may reach beyond their advance
  const auto scale = static_cast<float>(m_face->scale(size));
  TextBitmap bitmap;
  bitmap.width = static_cast<int>(std::ceil(textWidth(text, size) + shift)) + 2 * kPad;
  bitmap.left = -kPad;
  bitmap.top = -static_cast<int>(std::ceil(ascent(size))) - kPad;
  bitmap.height = static_cast<int>(std::ceil(descent(size))) + kPad - bitmap.top;
  bitmap.coverage.resize(static_cast<std::size_t>(bitmap.width) *
                         static_cast<std::size_t>(bitmap.height));
  double pen = shift;
  int previous = 0;
  std::vector<std::uint8_t> letter;
  while (!text.empty()) {
    const int glyph = stbtt_FindGlyphIndex(&m_face->info, nextCodePoint(text));
    if (previous != 0) {
      pen += scale * static_cast<float>(stbtt_GetGlyphKernAdvance(&m_face->info, previous, glyph));
    }
    const int column = static_cast<int>(std::floor(pen));
    const auto part = static_cast<float>(pen - column);
    int x0 = 0;
    int y0 = 0;
    int x1 = 0;
    int y1 = 0;
    stbtt_GetGlyphBitmapBoxSubpixel(&m_face->info, glyph, scale, scale, part, 0, &x0, &y0, &x1,
                                    &y1);
    const int width = x1 - x0;
    const int height = y1 - y0;
    if (width > 0 && height > 0) {
      letter.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0);
      stbtt_MakeGlyphBitmapSubpixel(&m_face->info, letter.data(), width, height, width, scale,
                                    scale, part, 0, glyph);
    }
    placeLetter(bitmap, letter, width, height, column + x0, y0);
    int advance = 0;
    int bearing = 0;
    stbtt_GetGlyphHMetrics(&m_face->info, glyph, &advance, &bearing);
    pen += advance * static_cast<double>(scale);
    previous = glyph;
  }
  return bitmap;
}

#else

struct Font::Face {};

Result<Font> Font::embedded(FontWeight) {
  return picturesUnsupported();
}
double Font::textWidth(std::string_view, double) const {
  return 0;
}
double Font::capitalHeight(double) const {
  return 0;
}
double Font::ascent(double) const {
  return 0;
}
double Font::descent(double) const {
  return 0;
}
TextBitmap Font::render(std::string_view, double, double) const {
  return {};
}

#endif

}  // namespace ropescope::picture
