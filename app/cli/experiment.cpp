// experiment new, run, show: one file with what was asked and what came out.
#include <algorithm>

#include "app/app_info.h"
#include "app/cli/answers.h"
#include "app/cli/commands.h"
#include "app/cli/inputs.h"
#include "app/cli/text.h"
#include "app/resource_folder.h"
#include "core/base/memory_size.h"
#include "core/experiment/experiment_run.h"

namespace ropescope::cli {
namespace {

using experiment::Experiment;
using experiment::Plan;
using experiment::RecordedSetting;

std::size_t drawnMaps(const RecordedSetting& result) {
  return static_cast<std::size_t>(
      std::count_if(result.maps.begin(), result.maps.end(),
                    [](const AttentionMap& map) { return !map.values.empty(); }));
}

Json resultJson(const RecordedSetting& result) {
  Json answers = Json::array();
  for (const auto& answer : result.answers) {
    if (!answer.isRecorded()) {
      answers.push_back(nullptr);
      continue;
    }
    answers.push_back({{"text", answer.text}, {"finish_reason", answer.finishReason}});
  }
  Json points = Json::array();
  for (const auto& point : result.perplexity) {
    points.push_back(
        {{"length", point.length}, {"nll", point.nllMeanTo}, {"perplexity", point.perplexity}});
  }
  return {{"setting", result.setting}, {"method", result.method},
          {"factor", result.factor},   {"document_tokens", result.documentTokens},
          {"answers", answers},        {"perplexity", points},
          {"maps", drawnMaps(result)}, {"seconds", result.seconds}};
}

std::string onOneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string resultText(const Plan& plan, const RecordedSetting& result) {
  std::string text = result.setting + "  (" + tokensText(result.documentTokens) + ", " +
                     secondsText(result.seconds) + ")\n";
  for (std::size_t i = 0; i < result.answers.size(); ++i) {
    const auto& answer = result.answers[i];
    text += "  Q: " + plan.questions[i] +
            "\n  A: " + (answer.isRecorded() ? onOneLine(answer.text) : "(not asked)") + "\n";
  }
  for (const auto& point : result.perplexity) {
    text += "  perplexity to " + countText(point.length) +
            " tokens: " + fixed(point.perplexity, 2) + "\n";
  }
  for (const auto& map : result.maps) {
    if (map.values.empty()) continue;
    text += "  map of layer " + std::to_string(map.request.layer) + ", head " +
            std::to_string(map.request.head) + ": " + std::to_string(map.request.width) + " x " +
            std::to_string(map.request.height) + " cells\n";
  }
  return text;
}

// "  same  loss at 1,024 tokens: 4.447209", or both values when they differ.
std::string differenceText(const experiment::Difference& line) {
  if (line.agrees) return "  same   " + line.what + ": " + onOneLine(line.now) + "\n";
  return "  OTHER  " + line.what + ": recorded " + onOneLine(line.recorded) + " | now " +
         onOneLine(line.now) + "\n";
}

// Tokens that the longest question and its answer need behind the document.
Result<std::int64_t> neededTokens(Run& run, const Plan& plan) {
  const auto tokenizer = run.tokenizer();
  if (!tokenizer) return tokenizer.error();
  const PromptFormat& format = run.engine().promptFormat();
  const auto document = documentPart(format, **tokenizer, plan.documentText);
  if (!document) return document.error();
  std::int64_t behind = 0;
  for (const auto& question : plan.questions) {
    const auto part = questionPart(format, **tokenizer, question);
    if (!part) return part.error();
    behind = std::max(behind,
                      static_cast<std::int64_t>(part->ids.size()) + plan.generation.maxNewTokens);
  }
  return static_cast<std::int64_t>(document->ids.size()) + behind;
}

Result<Plan> makePlan(Run& run) {
  const Options& options = run.options();
  Plan plan;
  if (Status described = describeModel(run.engine(), plan); !described) return described.error();
  auto text = readDocumentText(run, options.documents.front());
  if (!text) return text.error();
  const auto config = generationConfig(run);
  if (!config) return config.error();
  plan.documentName = options.documents.front().filename().string();
  plan.documentText = *std::move(text);
  plan.settings = options.methods;
  plan.questions = options.questions;
  plan.generation = *config;
  plan.lengths = options.lengths;
  plan.maps = options.experiment.maps;
  for (auto& map : plan.maps) {
    map.cells = static_cast<int>(options.size);
    map.reducer = options.reduce;
  }
  const auto needed = neededTokens(run, plan);
  if (!needed) return needed.error();
  const auto context = run.contextFor(*needed, "document, question and answer need",
                                      ", or take a part with --document-tokens");
  if (!context) return context.error();
  plan.contextTokens = *context;
  return plan;
}

Result<RecordedSetting> runOne(Run& run, const Plan& plan, const std::string& setting) {
  run.console().info(setting);
  auto result = runSetting(run.engine(), plan, setting, run.job());
  run.console().endProgress();
  return result;
}

Result<Experiment> readExperimentOption(Run& run) {
  return experiment::readExperiment(*run.options().experiment.file);
}

// What was run; a setting that could not be is not in the new file.
Status writeRerun(Run& run, const Plan& plan, const experiment::Rerun& rerun) {
  if (rerun.results.empty()) {
    return Error{ErrorCode::InvalidArgument,
                 "no setting could be run, so nothing is written; " + rerun.failed.front().why};
  }
  Experiment now{.program = kAppVersion, .plan = plan, .results = rerun.results};
  now.plan.dtype = run.engine().dtype();
  now.plan.settings.clear();
  for (const auto& result : now.results) now.plan.settings.push_back(result.setting);
  return writeExperiment(now, *run.options().out);
}

}  // namespace

Status runExperimentNew(Run& run) {
  auto plan = makePlan(run);
  if (!plan) return plan.error();
  Experiment made{.program = kAppVersion, .plan = *std::move(plan)};
  const auto& out = *run.options().out;
  run.fields()["out"] = out.string();
  run.fields()["results"] = Json::array();
  for (const auto& setting : made.plan.settings) {
    auto result = runOne(run, made.plan, setting);
    if (!result) return Error{result.error().code, setting + ": " + result.error().message};
    run.console().print(resultText(made.plan, *result));
    run.fields()["results"].push_back(resultJson(*result));
    made.results.push_back(*std::move(result));
    // After every setting: what is done survives a stop.
    if (Status written = writeExperiment(made, out); !written) return written;
    run.keepResult();
  }
  run.console().info("experiment written to " + out.string());
  return Done{};
}

Status runExperimentRun(Run& run) {
  const auto recorded = readExperimentOption(run);
  if (!recorded) return recorded.error();
  if (Status same = checkModel(run.engine(), recorded->plan); !same) return same;
  if (run.engine().dtype() != recorded->plan.dtype) {
    run.notice("recorded in " + recorded->plan.dtype + ", run in " + run.engine().dtype() +
               ": numbers differ for that alone; --dtype " + recorded->plan.dtype +
               " runs it as recorded");
  }
  const auto resources = findResourceFolder();  // none: nothing is bundled
  const auto rerun = runAgain(
      run.engine(), *recorded, resources ? *resources / "calibrations" : std::filesystem::path(),
      [&run](const std::string& setting) {
        run.console().endProgress();
        run.console().info(setting);
      },
      run.job());
  run.console().endProgress();
  if (!rerun) return rerun.error();
  Json lines = Json::array();
  bool agrees = true;
  std::string shown;
  for (const auto& line : compare(recorded->results, rerun->results, rerun->failed)) {
    if (line.setting != shown) run.console().print(line.setting + "\n");
    shown = line.setting;
    run.console().print(differenceText(line));
    lines.push_back({{"setting", line.setting},
                     {"what", line.what},
                     {"recorded", line.recorded},
                     {"now", line.now},
                     {"agrees", line.agrees}});
    agrees = agrees && line.agrees;
  }
  run.fields()["agrees"] = agrees;
  run.fields()["differences"] = lines;
  run.keepResult();
  run.console().print(agrees ? "All that was recorded came out again.\n"
                             : "Not all that was recorded came out again.\n");
  return run.options().out ? writeRerun(run, recorded->plan, *rerun) : Status(Done{});
}

Status runExperimentShow(Run& run) {
  const auto recorded = readExperimentOption(run);
  if (!recorded) return recorded.error();
  const Plan& plan = recorded->plan;
  run.fields()["plan"] = {{"model", plan.model},           {"model_hash", plan.modelHash},
                          {"dtype", plan.dtype},           {"document", plan.documentName},
                          {"context", plan.contextTokens}, {"settings", plan.settings},
                          {"questions", plan.questions},   {"lengths", plan.lengths}};
  run.fields()["results"] = Json::array();
  run.console().print(plan.model + " (" + plan.modelHash.substr(0, 12) + ", " + plan.dtype +
                      ", trained at " + tokensText(plan.trainedLength) + "), " + plan.documentName +
                      ", planned for " + tokensText(plan.contextTokens) + "; made by RopeScope " +
                      recorded->program + "\n\n");
  for (const auto& result : recorded->results) {
    run.fields()["results"].push_back(resultJson(result));
    run.console().print(resultText(plan, result) + "\n");
  }
  for (std::size_t i = recorded->results.size(); i < plan.settings.size(); ++i) {
    run.console().print(plan.settings[i] + "  (not run yet)\n");
  }
  return Done{};
}

}  // namespace ropescope::cli
