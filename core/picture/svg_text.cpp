#include "core/picture/svg_text.h"

#include "core/base/base64.h"

namespace ropescope::picture {
namespace {

constexpr std::size_t kProlog = 4096;  // bytes that may stand before the root element
constexpr std::string_view kElement = "<ropescope:text";

// Behind the '>' that ends the tag at `begin`; npos when it does not end. Values of attributes may
// hold one.
std::size_t endOfTag(std::string_view text, std::size_t begin) {
  char quote = '\0';
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char here = text[i];
    if (quote != '\0') {
      if (here == quote) quote = '\0';
    } else if (here == '"' || here == '\'') {
      quote = here;
    } else if (here == '>') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

std::size_t rootElement(std::string_view bytes) {
  return bytes.substr(0, kProlog).find("<svg");
}

}  // namespace

bool isSvg(std::string_view bytes) {
  const auto first = bytes.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  return first != std::string_view::npos && bytes[first] == '<' &&
         rootElement(bytes) != std::string_view::npos;
}

Result<std::string> withSvgText(std::string_view svg, std::string_view keyword,
                                std::string_view text) {
  const auto root = rootElement(svg);
  const auto inside = root == std::string_view::npos ? std::string_view::npos : endOfTag(svg, root);
  if (inside == std::string_view::npos || svg[inside - 2] == '/') {
    return Error{ErrorCode::CorruptFile, "the SVG file has no <svg> element with a picture in it"};
  }
  return std::string(svg.substr(0, inside)) + "\n<metadata>" + std::string(kElement) +
         " xmlns:ropescope=\"urn:ropescope:text\" keyword=\"" + std::string(keyword) +
         "\" encoding=\"base64\">" + toBase64(text) + "</ropescope:text></metadata>" +
         std::string(svg.substr(inside));
}

std::optional<std::string> svgText(std::string_view svg, std::string_view keyword) {
  const std::string wanted = "keyword=\"" + std::string(keyword) + "\"";
  for (auto at = svg.find(kElement); at != std::string_view::npos;
       at = svg.find(kElement, at + 1)) {
    const auto begin = endOfTag(svg, at);
    if (begin == std::string_view::npos) return std::nullopt;
    if (svg.substr(at, begin - at).find(wanted) == std::string_view::npos) continue;
    const auto end = svg.find('<', begin);
    if (end == std::string_view::npos) return std::nullopt;
    std::string encoded;  // other programs may have broken the line
    for (const char here : svg.substr(begin, end - begin)) {
      if (here != ' ' && here != '\n' && here != '\r' && here != '\t') encoded += here;
    }
    return fromBase64(encoded);
  }
  return std::nullopt;
}

}  // namespace ropescope::picture
