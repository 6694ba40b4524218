// psc train: a calibration from texts.
#include "app/cli/commands.h"
#include "app/cli/machine.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/calibration/corpus.h"
#include "core/calibration/psc_trainer.h"

namespace ropescope::cli {
namespace {

using calibration::PscTrainingConfig;
using calibration::PscTrainingResult;
using calibration::TrainingEnd;
using calibration::TrainingStep;

Result<PscTrainingConfig> configFrom(Run& run) {
  const Options& options = run.options();
  auto choice = run.methodChoice();
  if (!choice) return choice.error();
  auto corpus = calibration::corpusFiles(options.corpus);
  if (!corpus) return corpus.error();
  PscTrainingConfig config{.rope = *std::move(choice),
                           .contextTokens = *options.context,
                           .steps = options.psc.steps,
                           .maxMinutes = options.maxMinutes,
                           .phase = !options.psc.loraAlone,
                           .loraRank = options.psc.loraRank,
                           .loraAlpha = options.psc.loraAlpha,
                           .rate = options.psc.rate,
                           .warmupSteps = options.psc.warmup,
                           .windowsPerStep = options.psc.accumulate,
                           .clipNorm = options.psc.clip,
                           .seed = options.seed,
                           .corpus = *std::move(corpus),
                           .init = options.psc.init,
                           .initCheck = options.force ? OriginCheck::Ignore : OriginCheck::Enforce,
                           .out = *options.out,
                           .resume = options.resume,
                           .saveEvery = options.psc.saveEvery};
  config.log = [&run](LogLevel, const std::string& text) { run.notice(text); };
  return config;
}

// A finished module is minutes or hours of work.
Status overwritesNothing(const PscTrainingConfig& config) {
  if (config.resume) return Done{};
  for (const auto& path : {config.out, calibration::statePath(config.out)}) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) continue;
    return Error{ErrorCode::InvalidArgument,
                 path.string() +
                     " is there already; add --resume to go on with that training, or "
                     "name another file with --out"};
  }
  return Done{};
}

void describe(Run& run, const PscTrainingConfig& config) {
  Json& settings = run.settings();
  for (const auto& [name, value] : calibration::trainingSettings(run.engine(), config, "")) {
    if (name != "corpus") settings["training"][name] = value;
  }
  Json files = Json::array();
  for (const auto& path : run.options().corpus) files.push_back(path.string());
  settings["corpus"] = std::move(files);
  settings["corpus_files"] = config.corpus.size();
  settings["init"] = config.init ? Json(config.init->filename().string()) : Json(nullptr);
  settings["steps"] = config.steps;
  settings["max_minutes"] = config.maxMinutes ? Json(*config.maxMinutes) : Json(nullptr);
  settings["out"] = config.out.string();
}

std::string stepText(const TrainingStep& step) {
  return "loss " + fixed(step.loss, 4) + ", " + fixed(step.tokensPerSecond, 0) + " tokens/s, " +
         secondsText(step.secondsLeft) + " left";
}

const char* endName(TrainingEnd end) {
  switch (end) {
    case TrainingEnd::Finished:
      return "finished";
    case TrainingEnd::Minutes:
      return "minutes";
    case TrainingEnd::Stopped:
      return "stopped";
  }
  return "finished";
}

// What a token costs above the weights: the figure to plan a longer context with.
double bytesPerToken(const PscTrainingResult& result, const PscTrainingConfig& config) {
  return static_cast<double>(result.peakBytes - result.startBytes) /
         static_cast<double>(config.contextTokens);
}

void report(Run& run, const PscTrainingResult& result, const PscTrainingConfig& config) {
  Json& fields = run.fields();
  fields["end"] = endName(result.end);
  fields["steps_done"] = result.losses.size();
  fields["resumed_from"] = result.resumedFrom;
  fields["losses"] = result.losses;
  fields["parameters"] = result.parameters;
  fields["corpus_sha256"] = result.corpusHash;
  fields["tokens_per_step"] = result.tokensPerStep;
  fields["training_seconds"] = result.seconds;
  fields["tokens_per_second"] = result.tokensPerSecond;
  const std::string peak = peakName(run.engine());
  fields[peak] = result.peakBytes;
  fields[peak + "_above_start"] = result.peakBytes - result.startBytes;
  fields["out"] = config.out.string();
  run.keepResult();
  std::string text = countText(static_cast<std::int64_t>(result.losses.size())) + " of " +
                     countText(config.steps) + " steps, " + countText(result.parameters) +
                     " trained parameters, " + fixed(result.tokensPerSecond, 0) + " tokens/s\n";
  if (!result.losses.empty()) {
    text += "loss " + fixed(result.losses.front(), 4) + " at first, " +
            fixed(result.losses.back(), 4) + " at last\n";
  }
  text += "memory above the weights " + bytesText(result.peakBytes - result.startBytes) + ", " +
          fixed(bytesPerToken(result, config) / 1024.0, 1) + " KiB per token of a window\n" +
          config.out.string() + " is written";
  if (result.end != TrainingEnd::Finished) text += "; --resume goes on";
  run.console().print(text + "\n");
}

}  // namespace

Status runPscTrain(Run& run) {
  const auto config = configFrom(run);
  if (!config) return config.error();
  if (Status free = overwritesNothing(*config); !free) return free.error();
  describe(run, *config);
  const auto plan = run.plan(config->contextTokens);
  if (!plan) return plan.error();
  TrainingStep last;
  const auto onStep = [&](const TrainingStep& step) { last = step; };
  JobControl job = run.job();
  job.onProgress = [&](const Progress& progress) {
    run.console().progress({progress.stage, progress.done, progress.total, stepText(last)});
  };
  const auto result = calibration::trainPsc(run.engine(), *config, onStep, job);
  run.console().endProgress();
  if (!result) return result.error();
  report(run, *result, *config);
  return Done{};
}

}  // namespace ropescope::cli
