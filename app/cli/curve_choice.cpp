// --methods, or the plan of the command line, as curves.
#include <set>

#include "app/cli/curve_output.h"
#include "core/model/calibration_origin.h"

namespace ropescope::cli {
namespace {

// A calibration belongs to the method that it was trained under; its factor may differ.
Status checkCalibration(Run& run, const CurveSettings& curve, const rope::RotaryPlan& plan) {
  if (!curve.calibration || !curve.calibration->info().origin) return Done{};
  const CalibrationInfo& info = curve.calibration->info();
  if (!info.originIgnored) {
    Status fits = checkMethod(*info.origin, info.path.string(), plan);
    if (!fits) return Error{fits.error().code, curve.label + ": " + fits.error().message};
  }
  const std::string text = factorNotice(*info.origin, info.path.string(), plan);
  if (!text.empty() && !curve.factorFollowsLength) run.notice(curve.label + ": " + text);
  return Done{};
}

}  // namespace

Result<std::vector<CurveSettings>> chooseCurves(Run& run, std::int64_t longest) {
  std::vector<CurveSettings> curves;
  if (run.options().methods.empty()) {
    auto session = run.sessionOptions(longest);
    if (!session) return session.error();
    CurveSettings curve;
    curve.label = session->rope.id;
    if (session->rope.factor) {
      curve.label += ":factor=" + rope::valueText(*session->rope.factor);
    }
    curve.rope = std::move(session->rope);
    curve.calibration = std::move(session->calibration);
    curve.pscStrength = session->pscStrength;
    curve.lora = session->lora;
    curves.push_back(std::move(curve));
    return curves;
  }
  std::set<std::filesystem::path> described;
  for (const auto& text : run.options().methods) {
    auto curve = parseCurve(text, run.engine());
    if (!curve) return curve.error();
    if (curve->calibration && described.insert(curve->calibration->info().path).second) {
      run.noticeCalibration(curve->calibration->info());
    }
    // Before any work: what can be refused now is not refused after minutes.
    auto plan = run.engine().plan(decidedChoice(*curve, run.engine(), longest), longest);
    if (!plan) return Error{plan.error().code, text + ": " + plan.error().message};
    if (Status fits = checkCalibration(run, *curve, *plan); !fits) return fits.error();
    curves.push_back(*std::move(curve));
  }
  return curves;
}

}  // namespace ropescope::cli
