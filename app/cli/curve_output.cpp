#include "app/cli/curve_output.h"

#include <algorithm>

#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/eval/wide_csv.h"

namespace ropescope::cli {
namespace {

Json optionalJson(const std::optional<double>& number) {
  return number ? Json(*number) : Json(nullptr);
}

std::string optionalText(const std::optional<double>& number) {
  return number ? exactNumber(*number) : "";
}

// The plan of every length. Lengths that one pass serves share the longest one's.
Json plansJson(const PerplexityCurve& curve, const Engine& engine, const PerplexityConfig& config) {
  rope::MethodChoice choice = curve.settings.rope;
  choice.factor = curve.settings.factorFollowsLength ? std::nullopt : std::optional(curve.factor);
  Json plans = Json::array();
  std::optional<rope::RotaryPlan> longer;
  for (auto length = config.lengths.rbegin(); length != config.lengths.rend(); ++length) {
    auto plan = engine.plan(choice, plannedFor(config, *length));
    if (!plan) return nullptr;  // measured, so it cannot be
    const bool shared = config.protocol == Protocol::OnePass && longer && longer->sameRotation(*plan);
    if (!shared) longer = *std::move(plan);
    plans.insert(plans.begin(), Json{{"length", *length},
                                     {"planned_length", longer->context.plannedLength},
                                     {"factor", longer->context.factor},
                                     {"attention_factor", longer->attentionFactor}});
  }
  return plans;
}

}  // namespace

Json curveJson(const PerplexityCurve& curve, const Engine& engine,
               const PerplexityConfig& config) {
  const CurveSettings& settings = curve.settings;
  Json plans = plansJson(curve, engine, config);
  Json json;
  json["method"] = settings.label;
  json["settings"] = {{"method", settings.rope.id},
                      {"factor", curve.factor},
                      {"factor_follows_length", settings.factorFollowsLength},
                      {"base", engine.config().ropeBase},
                      {"trained_length", engine.config().trainedLength},
                      {"context", plannedFor(config, config.lengths.back())},
                      {"chunk", engine.chunkTokens(plannedFor(config, config.lengths.back()))},
                      {"attention_factor",
                       plans.is_null() ? Json(nullptr) : plans.back()["attention_factor"]},
                      {"plans", std::move(plans)},
                      {"parameters", parametersJson(engine.completed(settings.rope))},
                      {"calibration", calibrationJson(settings.calibration.get(),
                                                      settings.pscStrength, settings.lora)}};
  json["points"] = Json::array();
  for (const auto& point : curve.points) {
    json["points"].push_back({{"length", point.length},
                              {"nll_mean_to", point.nllMeanTo},
                              {"nll_bin", optionalJson(point.nllBin)},
                              {"perplexity", point.perplexity},
                              {"standard_error", optionalJson(point.standardError)},
                              {"scored_tokens", point.scoredTokens},
                              {"documents", point.documents}});
  }
  return json;
}

std::string curveCsv(const std::vector<PerplexityCurve>& curves, std::string_view protocol) {
  std::string csv =
      "method,protocol,length,nll_mean_to,nll_bin,perplexity,standard_error,scored_tokens,"
      "documents\n";
  for (const auto& curve : curves) {
    for (const auto& point : curve.points) {
      csv += csvField(curve.settings.label) + "," + std::string(protocol) + "," +
             std::to_string(point.length) + "," + exactNumber(point.nllMeanTo) + "," +
             optionalText(point.nllBin) + "," + exactNumber(point.perplexity) + "," +
             optionalText(point.standardError) + "," + std::to_string(point.scoredTokens) + "," +
             std::to_string(point.documents) + "\n";
    }
  }
  return csv;
}

std::string curveTable(const std::vector<PerplexityCurve>& curves) {
  std::vector<std::int64_t> lengths;
  std::vector<std::string> header = {"length"};
  for (const auto& curve : curves) {
    header.push_back(curve.settings.label);
    for (const auto& point : curve.points) lengths.push_back(point.length);
  }
  std::sort(lengths.begin(), lengths.end());
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  Table table(std::move(header));
  for (const auto length : lengths) {
    std::vector<std::string> row = {countText(length)};
    for (const auto& curve : curves) {
      const auto point = std::find_if(curve.points.begin(), curve.points.end(),
                                      [&](const auto& each) { return each.length == length; });
      std::string cell = "–";
      if (point != curve.points.end()) {
        cell = fixed(point->perplexity, 2);
        if (point->standardError) cell += " ±" + fixed(*point->standardError, 2);
      }
      row.push_back(std::move(cell));
    }
    table.add(std::move(row));
  }
  return "Perplexity up to a length (tokens):\n" + table.text();
}

std::string wideCurveCsv(const std::vector<PerplexityCurve>& curves) {
  std::vector<WideCurve> wide;
  for (const auto& curve : curves) {
    WideCurve row{.name = curve.settings.label, .points = {}};
    for (const auto& point : curve.points) row.points.push_back({point.length, point.perplexity});
    wide.push_back(std::move(row));
  }
  return wideCsv(wide);
}

Json publishedJson(const PublishedCurve& curve) {
  Json points = Json::array();
  for (const auto& point : curve.points) {
    points.push_back(
        {{"length", point.length}, {"perplexity", point.perplexity}, {"above", point.above}});
  }
  return {{"name", curve.name},
          {"model", curve.model},
          {"dataset", curve.dataset},
          {"protocol", curve.protocol ? Json(protocolName(*curve.protocol)) : Json(nullptr)},
          {"stride", curve.protocol == Protocol::Sliding ? Json(curve.stride) : Json(nullptr)},
          {"source", curve.source},
          {"note", curve.note},
          {"points", std::move(points)}};
}

std::string publishedTable(const std::vector<PublishedCurve>& curves) {
  std::string text;
  for (const auto& curve : curves) {
    Table table({"length", "perplexity"});
    for (const auto& point : curve.points) {
      table.add({countText(point.length), (point.above ? "> " : "") + compact(point.perplexity)});
    }
    text += "\nPublished: " + curve.name + " (" + curve.source + ")\n  " + curve.model + "; " +
            curve.dataset + "; " + publishedProtocolText(curve) +
            (curve.note.empty() ? "" : " (" + curve.note + ")") + "\n" + table.text();
  }
  return text;
}

}  // namespace ropescope::cli
