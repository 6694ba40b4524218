// One face of the embedded font: measures text and turns it into coverage.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/picture/paint.h"

namespace ropescope::picture {

// Grey coverage of one line of text, row by row from the top. (left, top) is where its first pixel
// lies relative to the pen on the baseline; `top` is negative above the baseline.
struct TextBitmap {
  int width = 0;
  int height = 0;
  int left = 0;
  int top = 0;
  std::vector<std::uint8_t> coverage;  // [height, width]
};

// Cheap to copy, immutable; safe to use from several threads. Sizes are pixels per em. A character
// the font lacks is drawn as its box, bytes that are not UTF-8 as the replacement character.
class Font {
 public:
  static Result<Font> embedded(FontWeight weight);

  double textWidth(std::string_view text, double size) const;  // pixels
  double capitalHeight(double size) const;
  double ascent(double size) const;
  double descent(double size) const;  // positive

  // `shift` in 0..1 moves the text right by part of a pixel.
  TextBitmap render(std::string_view text, double size, double shift) const;

 private:
  struct Face;
  explicit Font(std::shared_ptr<const Face> face) : m_face(std::move(face)) {}
  std::shared_ptr<const Face> m_face;
};

// The sentence every picture function answers with in a program built without stb or a font.
Error picturesUnsupported();

}  // namespace ropescope::picture
