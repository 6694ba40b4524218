#include "core/calibration/longrope_judge.h"

#include <cmath>
#include <cstdio>
#include <utility>

namespace ropescope::calibration {
namespace {

CurveSettings curveOf(const std::string& label, rope::MethodChoice rope,
                      const SessionOptions& session) {
  return {.label = label,
          .rope = std::move(rope),
          .factorFollowsLength = false,
          .calibration = session.calibration,
          .pscStrength = session.pscStrength,
          .lora = session.lora};
}

std::vector<CurveSettings> baselines(const SearchSpace& space, const SessionOptions& session) {
  std::vector<CurveSettings> curves;
  if (session.calibration) {
    for (const Seed& seed : space.seeds) {
      curves.push_back(
          curveOf(seed.name + " factors", choiceOf(seed.candidate, space.context), session));
    }
    return curves;
  }
  if (space.context.plannedLength <= space.context.originalLength) {
    curves.push_back(curveOf("none", {.id = "none", .values = {}, .factor = {}}, session));
  }
  for (const char* name : {"pi", "ntk", "yarn"}) {
    curves.push_back(
        curveOf(name, {.id = name, .values = {}, .factor = space.context.factor}, session));
  }
  return curves;
}

Result<ClusteredMean> meanOf(const std::vector<WindowLoss>& losses) {
  std::vector<BookValue> values;
  for (const WindowLoss& loss : losses) values.push_back({loss.book, loss.meanLoss});
  return clusteredMean(values);
}

Result<Verdict> verdictOn(const std::string& method, const std::vector<WindowLoss>& losses,
                          const std::vector<WindowLoss>& found) {
  Verdict verdict{.method = method, .loss = {}, .difference = {}};
  const auto mean = meanOf(losses);
  if (!mean) return mean.error();
  verdict.loss = *mean;
  std::vector<PairedLoss> pairs;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    pairs.push_back({losses[i].book, losses[i].meanLoss, found[i].meanLoss});
  }
  auto difference = comparePaired(pairs);
  if (!difference) return difference.error();
  verdict.difference = *std::move(difference);
  verdict.beaten = verdict.difference.meanDifference < 0.0 &&
                   verdict.difference.exceeds(kClearlyBetter).value_or(false);
  return verdict;
}

std::string fixedText(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

}  // namespace

Result<Judgement> judgeFactors(const Engine& engine, const std::vector<EvaluationBook>& books,
                               const SearchSpace& space, const Candidate& found,
                               const JudgeConfig& config, const JobControl& job) {
  const std::int64_t length = space.context.plannedLength;
  const auto windows = evaluationWindows(
      books, {.length = length, .bos = bosOf(engine), .mostPerBook = config.windowsPerBook});
  if (!windows) return windows.error();
  const auto lossesOf = [&](const CurveSettings& curve) {
    return windowLosses(engine, curve, *windows, {length}, job);
  };
  const auto foundLosses =
      lossesOf(curveOf("found", choiceOf(found, space.context), config.session));
  if (!foundLosses) return foundLosses.error();
  Judgement judgement{.length = length, .found = {}, .verdicts = {}};
  const auto mean = meanOf(*foundLosses);
  if (!mean) return mean.error();
  judgement.found = *mean;
  for (const CurveSettings& curve : baselines(space, config.session)) {
    const auto losses = lossesOf(curve);
    if (!losses) return losses.error();
    auto verdict = verdictOn(curve.label, *losses, *foundLosses);
    if (!verdict) return verdict.error();
    judgement.verdicts.push_back(*std::move(verdict));
  }
  return judgement;
}

std::string verdictText(const Verdict& verdict) {
  constexpr int kDigits = 4;
  const double gain = -verdict.difference.meanDifference;
  const std::string measured = fixedText(std::abs(gain), kDigits) + " nats";
  const auto& error = verdict.difference.standardError;
  if (!error) {
    return std::string(gain > 0.0 ? "is better than " : "is not better than ") + verdict.method +
           " by " + measured + ", without a standard error: all windows are of one book";
  }
  const std::string text =
      fixedText(std::abs(gain), kDigits) + " +- " + fixedText(*error, kDigits) + " nats" +
      (*error > 0.0 ? " (" + fixedText(std::abs(gain) / *error, 1) + " standard errors)" : "");
  if (verdict.beaten) return "beats " + verdict.method + " by " + text;
  return "does not beat " + verdict.method + " by more than two standard errors: it is " + text +
         (gain > 0.0 ? " better" : " worse");
}

}  // namespace ropescope::calibration
