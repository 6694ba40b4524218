// How a curve is written: "yarn:factor=4,beta_fast=16,calibration=FILE,psc_strength=0.5,lora=off".
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/rope/rope_method.h"

namespace ropescope {

// What the text says, before any file is read.
struct CurveDescription {
  rope::MethodChoice rope;           // factor empty: decided by the longest length
  bool factorFollowsLength = false;  // factor=auto
  std::string calibrationFile;       // empty: none
  bool calibrationForced = false;    // force=on: whatever model and method it was trained for
  double pscStrength = 1.0;          // 0 identity, 1 as trained
  bool lora = true;
};
bool operator==(const CurveDescription& a, const CurveDescription& b);

// Names as on the command line and in ParameterSpec. InvalidArgument names the curve and what is
// wrong with it.
Result<CurveDescription> readCurve(std::string_view text);

// The shortest text that readCurve() reads back as the same. InvalidArgument when there is none: a
// list of factors, or a path with a comma or a semicolon.
Result<std::string> curveText(const CurveDescription& curve);

}  // namespace ropescope
