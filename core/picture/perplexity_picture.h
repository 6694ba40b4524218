// Perplexity against context length, one curve per method, with the protocol printed on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/picture/canvas.h"
#include "core/picture/theme.h"

namespace ropescope::picture {

struct PerplexityDot {
  std::int64_t length = 0;                   // tokens
  double perplexity = 0;                     // not finite: left out of the drawing and said so
  std::optional<double> standardError = {};  // of the perplexity
};

struct PerplexityLine {
  std::string name = {};
  std::vector<PerplexityDot> points = {};  // by rising length
};

struct PerplexityPictureInput {
  std::string title = "Perplexity by context length";
  std::string subtitle = {};       // model, document
  std::string protocol = {};       // windows, stride, BOS, tokens scored, documents
  std::int64_t trainedLength = 0;  // tokens; 0: unknown, not marked
  std::vector<PerplexityLine> curves = {};
};

// InvalidArgument without a single finite point.
Result<Canvas> drawPerplexityPicture(const PerplexityPictureInput& input,
                                     const PictureStyle& style = {});

}  // namespace ropescope::picture
