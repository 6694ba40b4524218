// Trains a calibration: PSC modules (arXiv:2505.12423) and LoRA pairs (arXiv:2106.09685) together,
// on top of one RoPE method's plan, with the base model frozen.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/engine.h"

namespace ropescope::calibration {

// Defaults are the paper's, except where a line says otherwise.
struct PscTrainingConfig {
  rope::MethodChoice rope;
  std::int64_t contextTokens = 0;  // T of every training window
  std::int64_t steps = 500;
  std::optional<double> maxMinutes;  // stop after so long; a resumed run goes on
  bool phase = true;                 // false: LoRA pairs alone
  int loraRank = 8;                  // 0: PSC modules alone
  std::optional<double> loraAlpha;   // none: twice the rank (paper: 16 at rank 8)
  double rate = 2e-4;                // after a linear warm-up, constant
  int warmupSteps = 20;
  int windowsPerStep = 4;  // gradients are the mean over these
  double clipNorm = 1.0;   // longest gradient; the paper's trainer library's default
  std::uint64_t seed = 0;  // of data order and starting values
  std::vector<std::filesystem::path> corpus;
  // Calibration to start from instead: of the same model, method, rank and alpha; a shorter context
  // or another factor is what it is for.
  std::optional<std::filesystem::path> init;
  OriginCheck initCheck = OriginCheck::Enforce;
  std::filesystem::path out;  // the calibration; ".state" beside it: all that --resume needs
  bool resume = false;
  std::int64_t saveEvery = 10;  // steps between savings
  LogSink log;
};

struct TrainingStep {
  std::int64_t step = 0;         // 1 for the first
  double loss = 0.0;             // nats, mean over the step's windows, before the update
  double gradientNorm = 0.0;     // before clipping
  double tokensPerSecond = 0.0;  // of this step
  double secondsLeft = 0.0;      // at the pace of this call so far
};

enum class TrainingEnd { Finished, Minutes, Stopped };

struct PscTrainingResult {
  TrainingEnd end = TrainingEnd::Finished;
  std::vector<double> losses;    // [steps done], over all calls
  std::int64_t resumedFrom = 0;  // steps that an earlier call had done
  std::int64_t parameters = 0;   // trained
  std::string corpusHash;        // SHA-256 over its files' names and contents
  std::int64_t tokensPerStep = 0;
  double seconds = 0.0;          // of training, over all calls
  double tokensPerSecond = 0.0;  // of this call
  std::int64_t peakBytes = 0;    // as Engine::peakBytes()
  std::int64_t startBytes = 0;   // the same before the first step: weights and program
};

// What a resumed run must agree in, as text: "rope method" -> "pi", …
std::map<std::string, std::string> trainingSettings(const Engine& engine,
                                                    const PscTrainingConfig& config,
                                                    const std::string& corpusFingerprint);

// Errors, before any work: InvalidArgument (a setting, a corpus too short for one window, a state
// of another run or of more steps: both values named), Device when `out` cannot be written. Then
// Unsupported when a loss is not finite (the step is named, the state before it
// is kept), Device when the disk refuses. A stop or the end of the minutes is no error: everything
// up to the last whole step is saved.
Result<PscTrainingResult> trainPsc(const Engine& engine, const PscTrainingConfig& config,
                                   const std::function<void(const TrainingStep&)>& onStep,
                                   const JobControl& job);

// The path of the state beside a calibration.
std::filesystem::path statePath(const std::filesystem::path& out);

}  // namespace ropescope::calibration
