// A curve's name for people: "YaRN × 4 + LoRA + PSC".
#pragma once

#include <QString>
#include <string>

#include "core/eval/curve_text.h"
#include "core/eval/perplexity.h"

namespace ropescope::ui {

// What a calibration file holds.
struct CalibrationParts {
  bool phase = false;
  bool lora = false;
  int loraRank = 0;
};

// Of a measured curve: with the factor that was decided.
QString curveTitle(const PerplexityCurve& curve);
QString curveTitle(const CurveSettings& settings, double factor);
// Of one that is only written down.
QString curveTitle(const CurveDescription& curve, const CalibrationParts& parts);
// Of a recorded setting, its calibration by the file's name: the file itself need not be here.
// "YaRN × 4 + yarn-4x-psc". What is no setting stays as it is.
QString settingTitle(const std::string& setting);

}  // namespace ropescope::ui
