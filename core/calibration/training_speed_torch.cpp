#include <algorithm>
#include <chrono>

#include <ATen/ATen.h>

#include "core/base/memory_size.h"
#include "core/base/random.h"
#include "core/calibration/adamw_torch.h"
#include "core/calibration/gradient_torch.h"
#include "core/calibration/trainable_torch.h"
#include "core/calibration/training_speed.h"
#include "core/engine/engine_torch.h"
#include "core/model/guard_torch.h"

namespace ropescope::calibration {
namespace {

// The same ids on every machine; speed does not depend on which.
TrainingWindow randomWindow(std::int64_t tokens, int vocabularySize) {
  SplitMix random(1);
  TrainingWindow window;
  for (auto* ids : {&window.inputs, &window.targets}) {
    for (std::int64_t i = 0; i < tokens; ++i) {
      ids->push_back(
          static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(vocabularySize))));
    }
  }
  return window;
}

double operationsOf(const ModelConfig& c, double trainedWeights, double tokens) {
  const double projections =
      static_cast<double>(c.hiddenSize) * c.headDim * (2.0 * c.heads + 2.0 * c.kvHeads);
  const double mlp = 3.0 * c.hiddenSize * static_cast<double>(c.intermediateSize);
  const double head = static_cast<double>(c.hiddenSize) * c.vocabularySize;
  const double frozen = c.layers * (projections + mlp) + head;
  // Scores and weighted sums over half of the square, forward; the backward is five such products.
  const double attention = 2.0 * c.layers * c.heads * static_cast<double>(c.headDim) * tokens;
  return tokens * (4.0 * frozen + 6.0 * trainedWeights + 3.5 * attention);
}

}  // namespace

Result<TrainingSpeed> measureTrainingStep(const Engine& engine, const rope::MethodChoice& choice,
                                          std::int64_t tokens, int repeats, const JobControl& job) {
  using Clock = std::chrono::steady_clock;
  return guardTorch("measuring the training", [&]() -> Result<TrainingSpeed> {
    const auto plan = engine.plan(choice, tokens);
    if (!plan) return plan.error();
    const Engine::State& e = engine.state();
    const auto tables =
        rope::rotaryTables(*plan, tokens, e.placement.device,
                           e.placement.dtype == at::kDouble ? at::kDouble : at::kFloat);
    Trainable trainable = Trainable::fresh(e.config, {}, e.placement, 0);
    const TrainingWindow window = randomWindow(tokens, e.config.vocabularySize);
    AdamWState optimizer;
    TrainingSpeed speed{.tokens = tokens};
    for (int repeat = 0; repeat <= repeats; ++repeat) {
      if (job.stopRequested()) return Error{ErrorCode::Cancelled, "the measurement was stopped"};
      const auto start = Clock::now();
      const DecoderContext context{.config = e.config,
                                   .weights = e.weights,
                                   .tables = tables,
                                   .calibration = &trainable.refresh()};
      backwardThroughWindow(context, window);
      std::map<std::string, at::Tensor> gradients;
      trainable.collectGradients(gradients, 1.0);
      (void)gradientNorm(gradients);  // as a training step does, for clipping
      adamwStep(trainable.masters(), gradients, 1e-3, {}, optimizer);
      // A GPU works behind the program's back: a value read back waits for it.
      (void)trainable.masters().rbegin()->second.sum().item<double>();
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      if (repeat == 1) speed.seconds = seconds;
      if (repeat > 1) speed.seconds = std::min(speed.seconds, seconds);
      job.report({"training at " + countText(tokens), repeat, repeats});
    }
    speed.operations = operationsOf(e.config, static_cast<double>(trainable.parameters()),
                                    static_cast<double>(tokens));
    speed.peakBytes = engine.peakBytes();
    return speed;
  });
}

}  // namespace ropescope::calibration
