#include "core/picture/carried_text.h"

#include "core/picture/pdf_text.h"
#include "core/picture/png_text.h"
#include "core/picture/svg_text.h"

namespace ropescope::picture {

std::optional<FileKind> kindOf(std::string_view bytes) {
  if (isPng(bytes)) return FileKind::Png;
  if (isPdf(bytes)) return FileKind::Pdf;
  if (isSvg(bytes)) return FileKind::Svg;
  return std::nullopt;
}

Result<std::string> withText(std::string_view bytes, FileKind kind, std::string_view keyword,
                             std::string_view text) {
  switch (kind) {
    case FileKind::Png:
      return withPngText(bytes, keyword, text);
    case FileKind::Svg:
      return withSvgText(bytes, keyword, text);
    case FileKind::Pdf:
      return withPdfText(bytes, keyword, text);
  }
  return Error{ErrorCode::Unsupported, "an unknown kind of picture"};
}

std::optional<std::string> carriedText(std::string_view bytes, FileKind kind,
                                       std::string_view keyword) {
  switch (kind) {
    case FileKind::Png:
      return pngText(bytes, keyword);
    case FileKind::Svg:
      return svgText(bytes, keyword);
    case FileKind::Pdf:
      return pdfText(bytes, keyword);
  }
  return std::nullopt;
}

}  // namespace ropescope::picture
