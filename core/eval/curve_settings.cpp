// What a curve's text needs an engine for.
#include <algorithm>

#include "core/eval/curve_text.h"
#include "core/eval/perplexity.h"

namespace ropescope {

Result<CurveSettings> parseCurve(std::string_view text, const Engine& engine) {
  auto described = readCurve(text);
  if (!described) return described.error();
  CurveSettings settings{.label = std::string(text),
                         .rope = std::move(described->rope),
                         .factorFollowsLength = described->factorFollowsLength,
                         .calibration = nullptr,
                         .pscStrength = described->pscStrength,
                         .lora = described->lora};
  if (described->calibrationFile.empty()) return settings;
  auto calibration = engine.loadCalibration(described->calibrationFile, described->calibrationForced
                                                                            ? OriginCheck::Ignore
                                                                            : OriginCheck::Enforce);
  if (!calibration) return calibration.error();
  settings.calibration = *std::move(calibration);
  return settings;
}

rope::MethodChoice decidedChoice(const CurveSettings& settings, const Engine& engine,
                                 std::int64_t longest) {
  rope::MethodChoice choice = settings.rope;
  const auto method = rope::findMethod(choice.id);
  if (settings.factorFollowsLength) {
    choice.factor.reset();
  } else if (!choice.factor && method && method->info().takesFactor) {
    choice.factor = std::max(
        1.0, static_cast<double>(longest) / static_cast<double>(engine.config().trainedLength));
  }
  return choice;
}

}  // namespace ropescope
