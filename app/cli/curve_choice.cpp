// --methods, or the plan of the command line, as curves.
#include <set>

#include "app/cli/curve_output.h"

namespace ropescope::cli {

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
    auto plan = run.engine().plan(curve->rope, longest);
    if (!plan) return Error{plan.error().code, text + ": " + plan.error().message};
    curves.push_back(*std::move(curve));
  }
  return curves;
}

}  // namespace ropescope::cli
