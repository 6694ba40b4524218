#include "core/calibration/longrope_log.h"

#include <cmath>
#include <limits>

namespace ropescope::calibration {
namespace {

// Throws nlohmann's exceptions on fields that are missing or of a wrong kind.
Evaluation evaluationOf(const ResultJson& record) {
  Evaluation evaluation;
  evaluation.number = record.at("evaluation").get<std::int64_t>();
  evaluation.origin = record.at("origin").get<std::string>();
  evaluation.candidate.factors = record.at("factors").get<std::vector<double>>();
  evaluation.candidate.unscaledTokens = record.at("unscaled_tokens").get<std::int64_t>();
  const auto& loss = record.at("loss");
  evaluation.loss = loss.is_null() ? std::numeric_limits<double>::infinity() : loss.get<double>();
  return evaluation;
}

}  // namespace

ResultJson recordOf(const Evaluation& evaluation) {
  return {
      {"evaluation", evaluation.number},
      {"origin", evaluation.origin},
      {"factors", evaluation.candidate.factors},
      {"unscaled_tokens", evaluation.candidate.unscaledTokens},
      {"loss", std::isfinite(evaluation.loss) ? ResultJson(evaluation.loss) : ResultJson(nullptr)}};
}

Result<std::vector<Evaluation>> evaluationsFrom(const std::vector<ResultJson>& records,
                                                const std::filesystem::path& path) {
  std::vector<Evaluation> evaluations;
  for (const ResultJson& record : records) {
    try {
      evaluations.push_back(evaluationOf(record));
    } catch (const nlohmann::json::exception&) {
      return Error{ErrorCode::CorruptFile,
                   path.string() + ", record " + std::to_string(evaluations.size() + 1) +
                       " is no evaluation (evaluation, origin, factors, unscaled_tokens, loss are "
                       "wanted); name another --out"};
    }
  }
  return evaluations;
}

}  // namespace ropescope::calibration
