#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/base/memory_size.h"
#include "core/experiment/experiment_run.h"

namespace ropescope::experiment {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", value);
  return text;
}

constexpr const char* kNotRecorded = "not recorded";  // and so no difference

Difference compareAnswers(const RecordedAnswer& recorded, const RecordedAnswer& now) {
  Difference line{.setting = {}, .what = {}, .recorded = recorded.text, .now = now.text};
  if (!recorded.isRecorded()) {
    line.recorded = kNotRecorded;
    return line;
  }
  const auto sameId = [](const GeneratedToken& a, const GeneratedToken& b) { return a.id == b.id; };
  line.agrees = std::equal(recorded.tokens.begin(), recorded.tokens.end(), now.tokens.begin(),
                           now.tokens.end(), sameId) &&
                recorded.finishReason == now.finishReason;
  return line;
}

Difference compareMaps(const AttentionMap& recorded, const AttentionMap& now) {
  Difference line;
  if (recorded.values.empty()) {
    line.what = "map of layer " + std::to_string(now.request.layer) + ", head " +
                std::to_string(now.request.head);
    line.recorded = kNotRecorded;
    line.now = countText(static_cast<std::int64_t>(now.values.size())) + " weights";
    return line;
  }
  line.what = "map of layer " + std::to_string(recorded.request.layer) + ", head " +
              std::to_string(recorded.request.head);
  if (recorded.request != now.request) {
    line.recorded = countText(recorded.request.queries.end) + " tokens";
    line.now = countText(now.request.queries.end) + " tokens, or another map";
    line.agrees = false;
    return line;
  }
  double largest = 0.0;
  bool sameMask = true;
  for (std::size_t i = 0; i < recorded.values.size(); ++i) {
    const double a = static_cast<double>(recorded.values[i]);
    const double b = static_cast<double>(now.values[i]);
    sameMask = sameMask && std::isnan(a) == std::isnan(b);
    if (!std::isnan(a) && !std::isnan(b)) largest = std::max(largest, std::abs(a - b));
  }
  line.recorded = countText(static_cast<std::int64_t>(recorded.values.size())) + " weights";
  line.now = sameMask ? "largest difference " + number(largest) : "other cells are masked";
  line.agrees = sameMask && largest <= kTolerance;
  return line;
}

Difference comparePoints(const PerplexityPoint& recorded, const PerplexityPoint& now) {
  return {.setting = {},
          .what = "loss at " + countText(recorded.length) + " tokens",
          .recorded = number(recorded.nllMeanTo),
          .now = number(now.nllMeanTo),
          .agrees = recorded.length == now.length && recorded.scoredTokens == now.scoredTokens &&
                    std::abs(recorded.nllMeanTo - now.nllMeanTo) <= kTolerance};
}

// Pairs of what both have; a number of them that differs is a line of its own.
template <class Value, class Compare>
void comparePairs(const std::vector<Value>& recorded, const std::vector<Value>& now,
                  const char* what, const Compare& comparison, std::vector<Difference>& lines) {
  for (std::size_t i = 0; i < std::min(recorded.size(), now.size()); ++i) {
    Difference line = comparison(recorded[i], now[i]);
    if (line.what.empty()) line.what = std::string(what) + " " + std::to_string(i + 1);
    lines.push_back(std::move(line));
  }
  if (recorded.size() == now.size()) return;
  lines.push_back({.setting = {},
                   .what = std::string("number of ") + what + "s",
                   .recorded = std::to_string(recorded.size()),
                   .now = std::to_string(now.size()),
                   .agrees = false});
}

// By length: a curve may have been recorded at some of them only.
void compareCurves(const std::vector<PerplexityPoint>& recorded,
                   const std::vector<PerplexityPoint>& now, std::vector<Difference>& lines) {
  const auto at = [](const std::vector<PerplexityPoint>& points, std::int64_t length) {
    return std::find_if(points.begin(), points.end(),
                        [length](const PerplexityPoint& point) { return point.length == length; });
  };
  for (const auto& point : recorded) {
    const auto found = at(now, point.length);
    if (found != now.end()) {
      lines.push_back(comparePoints(point, *found));
      continue;
    }
    lines.push_back({.setting = {},
                     .what = "loss at " + countText(point.length) + " tokens",
                     .recorded = number(point.nllMeanTo),
                     .now = "not measured",
                     .agrees = false});
  }
  for (const auto& point : now) {
    if (at(recorded, point.length) != recorded.end()) continue;
    lines.push_back({.setting = {},
                     .what = "loss at " + countText(point.length) + " tokens",
                     .recorded = kNotRecorded,
                     .now = number(point.nllMeanTo)});
  }
}

std::vector<Difference> compareSetting(const RecordedSetting& recorded,
                                       const RecordedSetting& now) {
  std::vector<Difference> lines;
  if (recorded.calibrationHash != now.calibrationHash) {
    lines.push_back({.setting = {},
                     .what = "calibration file",
                     .recorded = recorded.calibrationHash.value_or("none").substr(0, 12),
                     .now = now.calibrationHash.value_or("none").substr(0, 12),
                     .agrees = false});
  }
  if (recorded.invFreq != now.invFreq || recorded.attentionFactor != now.attentionFactor) {
    lines.push_back({.setting = {},
                     .what = "rotation",
                     .recorded = recorded.method + ", factor " + number(recorded.factor),
                     .now = now.method + ", factor " + number(now.factor) + ", other frequencies",
                     .agrees = false});
  }
  comparePairs(recorded.answers, now.answers, "answer", compareAnswers, lines);
  compareCurves(recorded.perplexity, now.perplexity, lines);
  comparePairs(recorded.maps, now.maps, "map", compareMaps, lines);
  return lines;
}

}  // namespace

std::vector<Difference> compare(const std::vector<RecordedSetting>& recorded,
                                const std::vector<RecordedSetting>& now,
                                const std::vector<FailedSetting>& failed) {
  std::vector<Difference> lines;
  const auto findIn = [](const std::vector<RecordedSetting>& all, const std::string& setting) {
    return std::find_if(all.begin(), all.end(),
                        [&](const RecordedSetting& each) { return each.setting == setting; });
  };
  const auto whyNotRun = [&](const std::string& setting) -> std::string {
    for (const auto& each : failed) {
      if (each.setting == setting) return "could not be run: " + each.why;
    }
    return "not run";
  };
  for (const auto& old : recorded) {
    const auto found = findIn(now, old.setting);
    if (found == now.end()) {
      lines.push_back({old.setting, "setting", "recorded", whyNotRun(old.setting), false});
      continue;
    }
    for (auto& line : compareSetting(old, *found)) {
      line.setting = old.setting;
      lines.push_back(std::move(line));
    }
  }
  for (const auto& fresh : now) {
    if (findIn(recorded, fresh.setting) != recorded.end()) continue;
    lines.push_back({fresh.setting, "setting", kNotRecorded, "run", false});
  }
  for (const auto& each : failed) {
    if (findIn(recorded, each.setting) != recorded.end()) continue;
    lines.push_back({each.setting, "setting", kNotRecorded, whyNotRun(each.setting), false});
  }
  return lines;
}

}  // namespace ropescope::experiment
