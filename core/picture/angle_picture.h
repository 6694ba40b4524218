// What a RoPE method does to every rotary pair, beside plain RoPE: scale, wavelength and angle.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/picture/canvas.h"
#include "core/picture/theme.h"

namespace ropescope::picture {

struct AngleMethod {
  std::string name = {};
  std::vector<double> invFreq = {};  // rad per token, one per pair
  double attentionFactor = 1.0;      // written beside the name when it is not 1
};

struct AnglePictureInput {
  std::string title = "Rotation of every pair";
  std::string subtitle = {};              // model, head size, base
  std::vector<double> plainInvFreq = {};  // rad per token: RoPE without scaling
  std::vector<AngleMethod> methods = {};
  std::int64_t trainedLength = 0;                  // tokens; 0: unknown, nothing is marked
  std::optional<std::int64_t> plannedLength = {};  // tokens
  std::int64_t position = 0;                       // of the angles, tokens from the start
};

// InvalidArgument without pairs or when a method has another number of pairs.
Result<Canvas> drawAnglePicture(const AnglePictureInput& input, const PictureStyle& style = {});

}  // namespace ropescope::picture
