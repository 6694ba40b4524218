#include "app/cli/retrieval_run.h"

#include <algorithm>
#include <set>

#include "app/cli/curve_output.h"
#include "app/cli/inputs.h"
#include "app/cli/text.h"
#include "core/base/file_io.h"
#include "core/base/memory_size.h"

namespace ropescope::cli {
namespace {

constexpr std::initializer_list<double> kDefaultDepths = {0.0, 0.25, 0.5, 0.75, 1.0};

template <class Value>
std::vector<Value> sortedOnce(std::vector<Value> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

// Without the path: a file may move between two calls.
Json calibrationKey(const CurveSettings& method) {
  if (!method.calibration) return nullptr;
  return {{"sha256", sha256Json(method.calibration->info().path)},
          {"psc_strength", method.pscStrength},
          {"lora", method.lora}};
}

Json methodJson(const Run& run, const CurveSettings& method, std::int64_t longest) {
  const rope::MethodChoice choice = decidedChoice(method, run.engine(), longest);
  return {{"method", method.label},
          {"rope", method.rope.id},
          {"factor", choice.factor ? Json(*choice.factor) : Json(nullptr)},
          {"factor_follows_length", method.factorFollowsLength},
          {"parameters", parametersJson(run.engine().completed(method.rope))},
          {"calibration", calibrationKey(method)}};
}

Json cellSummary(const RetrievalCell& cell) {
  return {{"method", cell.method}, {"length", cell.length},         {"depth", cell.depth},
          {"found", cell.found()}, {"contained", cell.contained()}, {"trials", cell.trials()}};
}

const RetrievalCell* findCell(const std::vector<RetrievalCell>& cells, const std::string& method,
                              std::int64_t length, double depth) {
  for (const RetrievalCell& cell : cells) {
    if (cell.method == method && cell.length == length && cell.depth == depth) return &cell;
  }
  return nullptr;
}

std::string methodTable(const std::vector<RetrievalCell>& cells, const GridRequest& request,
                        const EffectiveContext& effective) {
  std::vector<std::string> header = {"depth"};
  for (const auto length : request.lengths) header.push_back(countText(length));
  Table table(std::move(header));
  for (const double depth : request.depths) {
    std::vector<std::string> row = {compact(depth)};
    for (const auto length : request.lengths) {
      const RetrievalCell* cell = findCell(cells, effective.method, length, depth);
      row.push_back(cell == nullptr
                        ? "–"
                        : std::to_string(cell->found()) + "/" + std::to_string(cell->trials()));
    }
    table.add(std::move(row));
  }
  return effective.method + ", found by prompt length (tokens):\n" + table.text() +
         "  effective context: " +
         (effective.length ? tokensText(*effective.length) : "below the shortest length") + "\n";
}

std::string gridCsv(const std::vector<RetrievalCell>& cells) {
  std::string csv = "method,length,depth,found,contained,trials\n";
  for (const RetrievalCell& cell : cells) {
    csv += csvField(cell.method) + "," + std::to_string(cell.length) + "," +
           exactNumber(cell.depth) + "," + std::to_string(cell.found()) + "," +
           std::to_string(cell.contained()) + "," + std::to_string(cell.trials()) + "\n";
  }
  return csv;
}

// In the order of the request, wherever they came from.
std::vector<RetrievalCell> inOrder(const std::vector<RetrievalCell>& cells,
                                   const GridRequest& request) {
  std::vector<RetrievalCell> ordered;
  for (const CurveSettings& method : request.methods) {
    for (const auto length : request.lengths) {
      for (const double depth : request.depths) {
        if (const auto* cell = findCell(cells, method.label, length, depth)) {
          ordered.push_back(*cell);
        }
      }
    }
  }
  return ordered;
}

Status writeGrid(Run& run, const GridRequest& request, const std::vector<RetrievalCell>& cells,
                 double threshold) {
  run.fields()["cells"] = Json::array();
  for (const RetrievalCell& cell : cells) run.fields()["cells"].push_back(cellSummary(cell));
  run.fields()["effective_context"] = Json::array();
  std::string tables;
  for (const auto& effective : effectiveContext(cells, request, threshold)) {
    run.fields()["effective_context"].push_back(
        {{"method", effective.method},
         {"length", effective.length ? Json(*effective.length) : Json(nullptr)}});
    tables += methodTable(cells, request, effective);
  }
  if (cells.empty()) return Done{};
  run.keepResult();
  run.console().print(tables);
  if (!run.options().csv) return Done{};
  Status written = writeFileAtomically(*run.options().csv, gridCsv(cells));
  if (written) run.console().info("cells written to " + run.options().csv->string());
  return written;
}

}  // namespace

Result<RetrievalPlan> retrievalPlan(Run& run) {
  RetrievalPlan plan{.lengths = sortedOnce(run.options().lengths), .methods = {}};
  auto methods = chooseCurves(run, plan.lengths.back());
  if (!methods) return methods.error();
  std::set<std::string> labels;
  for (const CurveSettings& method : *methods) {
    if (labels.insert(method.label).second) continue;
    return Error{ErrorCode::InvalidArgument,
                 "--methods names '" + method.label + "' twice; give each method once"};
  }
  plan.methods = *std::move(methods);
  return plan;
}

std::vector<double> gridDepths(const Options& options) {
  if (options.retrieval.depths.empty()) return kDefaultDepths;
  return sortedOnce(options.retrieval.depths);
}

Result<std::shared_ptr<const BookTokens>> readBook(Run& run, const std::filesystem::path& path) {
  auto text = readDocumentText(run, path);
  if (!text) return text.error();
  const auto tokenizer = run.tokenizer();
  if (!tokenizer) return tokenizer.error();
  auto book = bookTokens(**tokenizer, path.filename().string(), *std::move(text));
  if (!book) return book.error();
  Json& settings = run.settings();
  settings["documents"].push_back({{"path", path.string()},
                                   {"sha256", settings["document_sha256"]},
                                   {"document_tokens", settings["document_tokens"]},
                                   {"tokens", (*book)->size()}});
  for (const char* name : {"document", "document_sha256", "document_tokens"}) settings.erase(name);
  return book;
}

void noticePromptFormat(Run& run) {
  if (run.engine().promptFormat().fromModel) return;
  run.notice(
      "the model has no prompt_format.json; a plain format is used, which the model may not have "
      "been trained on");
}

Result<ResultLog> openResultLog(Run& run, const RetrievalPlan& plan, const Json& own) {
  Json kept = {{"command", run.options().command}, {"model_hash", run.engine().modelHash()},
               {"device", run.engine().device()},  {"dtype", run.engine().dtype()},
               {"seed", run.options().seed},       {"lengths", plan.lengths},
               {"methods", Json::array()}};
  for (const CurveSettings& method : plan.methods) {
    kept["methods"].push_back(methodJson(run, method, plan.lengths.back()));
  }
  kept.update(own);
  run.settings().update(kept);
  // Which text, not where it lies.
  for (const Json& document : run.settings().value("documents", Json::array())) {
    kept["documents"].push_back(
        {{"sha256", document["sha256"]}, {"document_tokens", document["document_tokens"]}});
  }
  run.settings()["trained_length"] = run.engine().config().trainedLength;
  run.settings()["chunk"] = run.engine().batchChunkTokens();
  run.settings()["out"] = run.options().out->string();
  auto log = ResultLog::open(*run.options().out, kept,
                             run.options().resume ? LogStart::Resume : LogStart::Fresh);
  if (!log) return log;
  if (!log->notice().empty()) run.notice(log->notice());
  if (run.options().resume) {
    run.console().info(run.options().out->string() + " holds " +
                       countText(static_cast<std::int64_t>(log->records().size())) +
                       " finished records; the others are measured");
  }
  run.fields()["resumed"] = log->records().size();
  return log;
}

Status runGrid(Run& run, const GridRequest& request, ResultLog& log, double threshold) {
  std::vector<RetrievalCell> cells;
  const Status measured = measureGrid(
      run.engine(), request, log, [&](const RetrievalCell& cell) { cells.push_back(cell); },
      run.job());
  run.console().endProgress();
  run.settings()["threshold"] = threshold;
  const Status written = writeGrid(run, request, inOrder(cells, request), threshold);
  return measured ? written : measured;
}

}  // namespace ropescope::cli
