// perplexity: one curve per method.
#include <algorithm>

#include "app/cli/commands.h"
#include "app/cli/curve_output.h"
#include "app/cli/inputs.h"
#include "app/cli/text.h"
#include "app/resource_folder.h"
#include "core/base/file_io.h"
#include "core/base/memory_size.h"
#include "core/eval/protocol_windows.h"

namespace ropescope::cli {
namespace {

Result<std::vector<std::vector<std::int32_t>>> readDocuments(Run& run) {
  std::vector<std::vector<std::int32_t>> documents;
  Json described = Json::array();
  for (const auto& path : run.options().documents) {
    auto input = readDocumentTokens(run, path);
    if (!input) return input.error();
    described.push_back({{"path", path.string()},
                         {"sha256", run.settings()["document_sha256"]},
                         {"tokens", input->ids.size()},
                         {"document_tokens", run.settings()["document_tokens"]}});
    documents.push_back(std::move(input->ids));
  }
  run.settings().erase("document");
  run.settings().erase("document_sha256");
  run.settings().erase("document_tokens");
  run.settings()["documents"] = std::move(described);
  return documents;
}

// Before any work: a name that is not there costs no measuring time.
Result<std::vector<PublishedCurve>> choosePublished(const Options& options) {
  std::vector<PublishedCurve> chosen;
  if (options.published.empty()) return chosen;
  const auto folder = findResourceFolder();
  if (!folder) return folder.error();
  const auto all = readPublishedFolder(*folder / "published");
  if (!all) return all.error();
  for (const auto& name : options.published) {
    const auto found = findPublished(*all, name);
    if (!found) return found.error();
    chosen.insert(chosen.end(), found->begin(), found->end());
  }
  return chosen;
}

void addPublished(Run& run, const std::vector<PublishedCurve>& published,
                  const PerplexityConfig& config) {
  run.fields()["published"] = Json::array();
  for (const auto& curve : published) {
    run.fields()["published"].push_back(publishedJson(curve));
    const std::string difference = protocolDifference(curve, config);
    if (!difference.empty()) run.notice(difference);
  }
  if (published.empty()) return;
  run.console().print(publishedTable(published));
  run.notice("published curves are of other models, tokenizers and texts: their values are not "
             "comparable with yours");
}

// The result so far, for a stopped or failed run too.
Status writeResult(Run& run, const std::vector<PerplexityCurve>& curves,
                   const PerplexityConfig& config) {
  run.fields()["curves"] = Json::array();
  for (const auto& curve : curves) {
    run.fields()["curves"].push_back(curveJson(curve, run.engine(), config));
  }
  if (!curves.empty()) {
    run.keepResult();
    run.console().print(curveTable(curves));
  }
  const std::pair<std::optional<std::filesystem::path>, std::string> files[] = {
      {run.options().csv, curveCsv(curves, protocolName(run.options().protocol))},
      {run.options().wideCsv, wideCurveCsv(curves)}};
  for (const auto& [path, text] : files) {
    if (!path) continue;
    if (Status written = writeFileAtomically(*path, text); !written) return written;
    run.console().info("points written to " + path->string());
  }
  return Done{};
}

}  // namespace

std::vector<std::int64_t> defaultLengths(std::int64_t trained, std::int64_t most) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t length = std::max<std::int64_t>(2, trained / 4); length <= most; length *= 2) {
    lengths.push_back(length);
  }
  if (lengths.empty() || lengths.back() != most) lengths.push_back(most);
  return lengths;
}

Status measureCurves(Run& run, const std::vector<CurveSettings>& settings,
                     const std::vector<std::vector<std::int32_t>>& documents,
                     const PerplexityConfig& config, std::vector<PerplexityCurve>& curves) {
  for (const auto& each : settings) {
    if (run.stopRequested()) break;
    PerplexityCurve latest;
    auto curve = measureCurve(
        run.engine(), each, documents, config,
        [&](const PerplexityCurve& update) { latest = update; }, run.job());
    run.console().endProgress();
    if (curve) {
      curves.push_back(*std::move(curve));
      continue;
    }
    if (!latest.points.empty()) curves.push_back(std::move(latest));
    if (curve.error().code == ErrorCode::Cancelled) return Done{};
    return Error{curve.error().code, each.label + ": " + curve.error().message};
  }
  return Done{};
}

Status runPerplexity(Run& run) {
  const Options& options = run.options();
  const auto published = choosePublished(options);
  if (!published) return published.error();
  const auto documents = readDocuments(run);
  if (!documents) return documents.error();
  const auto tokenizer = run.tokenizerOrNull();
  PerplexityConfig config{.lengths = options.lengths, .protocol = options.protocol};
  config.planned = options.context;
  std::size_t longest = 0;
  for (const auto& document : *documents) longest = std::max(longest, document.size());
  const std::int64_t most = longestLength(options.protocol, static_cast<std::int64_t>(longest),
                                          tokenizer->addsBos());
  if (config.lengths.empty()) {
    config.lengths =
        defaultLengths(run.engine().config().trainedLength,
                       std::min(options.context.value_or(most), most));
  }
  std::sort(config.lengths.begin(), config.lengths.end());
  config.lengths.erase(std::unique(config.lengths.begin(), config.lengths.end()),
                       config.lengths.end());
  config.stride = options.stride.value_or(
      std::min(config.stride, std::max<std::int64_t>(1, config.lengths.front() / 2)));
  if (Status valid = validate(config); !valid) return valid;
  const auto reach = checkReach(config, static_cast<std::int64_t>(longest), tokenizer->addsBos());
  if (!reach) return reach;
  const std::int64_t planned = plannedFor(config, config.lengths.back());
  const auto settings = chooseCurves(run, planned);
  if (!settings) return settings.error();
  run.settings()["context"] = planned;
  run.settings()["trained_length"] = run.engine().config().trainedLength;
  run.settings()["chunk"] = run.engine().chunkTokens(planned);
  run.settings()["lengths"] = config.lengths;
  run.settings()["protocol"] = protocolName(config.protocol);
  run.settings()["stride"] =
      config.protocol == Protocol::Sliding ? Json(config.stride) : Json(nullptr);
  run.settings()["bos"] = tokenizer->addsBos();
  run.fields()["protocol"] = protocolName(config.protocol);
  run.fields()["protocol_text"] = protocolText(config, tokenizer->addsBos());
  std::vector<PerplexityCurve> curves;
  const Status measured = measureCurves(run, *settings, *documents, config, curves);
  run.console().info(protocolText(config, tokenizer->addsBos()));
  const Status written = writeResult(run, curves, config);
  addPublished(run, *published, config);
  return measured ? written : measured;
}

}  // namespace ropescope::cli
