#include "core/engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "core/rope/rope_method.h"

namespace ropescope {
namespace {

double logSumExp(std::span<const float> logits, double temperature) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp((logit - top) / temperature);
  return top / temperature + std::log(sum);
}

// [0, 1) from the top 53 bits: std::uniform_real_distribution differs between libraries.
double uniform(std::mt19937_64& engine) {
  return static_cast<double>(engine() >> 11) * 0x1.0p-53;
}

Error wrongField(const char* field, double found, const char* wanted) {
  return Error{ErrorCode::InvalidArgument, std::string(field) + " is " + rope::valueText(found) +
                                               "; " + wanted + " is wanted"};
}

constexpr std::int64_t kMostNewTokens = std::int64_t{1} << 26;  // the longest context there is

}  // namespace

Status validate(const GenerationConfig& config) {
  if (config.maxNewTokens < 1 || config.maxNewTokens > kMostNewTokens) {
    return Error{ErrorCode::InvalidArgument, "max-new-tokens is " +
                                                 std::to_string(config.maxNewTokens) +
                                                 "; 1 to 67,108,864 is wanted"};
  }
  if (!(config.temperature >= 0.0) || !std::isfinite(config.temperature)) {
    return wrongField("temperature", config.temperature, "0 (greedy) or more");
  }
  if (!(config.topP > 0.0 && config.topP <= 1.0)) {
    return wrongField("top-p", config.topP, "a number above 0, at most 1,");
  }
  if (config.topK < 0) {
    return wrongField("top-k", static_cast<double>(config.topK), "0 (off) or more");
  }
  return Done{};
}

Sampler::Sampler(const GenerationConfig& config) : m_config(config), m_engine(config.seed) {}

GeneratedToken Sampler::draw(std::span<const float> logits) {
  const double plainSum = logSumExp(logits, 1.0);
  const auto chosen = [&](std::size_t id) {
    return GeneratedToken{static_cast<std::int32_t>(id), logits[id] - plainSum};
  };
  if (m_config.temperature == 0.0) {
    return chosen(static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) -
                                           logits.begin()));
  }
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  if (m_config.topK > 0 && static_cast<std::size_t>(m_config.topK) < order.size()) {
    order.resize(static_cast<std::size_t>(m_config.topK));
  }
  const double top = logits[order.front()];
  std::vector<double> weights;
  double sum = 0.0;
  for (const std::size_t id : order) {
    weights.push_back(std::exp((logits[id] - top) / m_config.temperature));
    sum += weights.back();
  }
  // topP of what topK left.
  double kept = 0.0;
  std::size_t count = 0;
  while (count < weights.size() && (count == 0 || kept < m_config.topP * sum)) {
    kept += weights[count++];
  }
  double point = uniform(m_engine) * kept;
  std::size_t pick = 0;
  while (pick + 1 < count && point >= weights[pick]) point -= weights[pick++];
  return chosen(order[pick]);
}

}  // namespace ropescope
