// Loss, gradients and updates of PSC and LoRA, against PyTorch's autograd on an independent program
// (tests/golden/golden_training.py), plain autograd over our own decoder, and numeric differences.
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "core/calibration/adamw_torch.h"
#include "core/calibration/gradient_torch.h"
#include "core/calibration/trainable_torch.h"
#include "core/engine/engine_torch.h"
#include "core/model/flash_autograd_torch.h"
#include "tests/support/golden.h"

namespace ropescope::calibration {
namespace {

using golden::Json;
using golden::must;

// Two float64 programs that add in different orders: about 1e-15 per operation, thousands of them.
constexpr double kFloat64Tolerance = 1e-9;

const Json& record() {
  static const Json json = golden::fileJson(golden::goldenPath("training.json"));
  return json;
}

TrainingWindow windowOf(const Json& ids) {
  const auto all = golden::idsOf(ids);
  return {.inputs = {all.begin(), all.end() - 1}, .targets = {all.begin() + 1, all.end()}};
}

// A model with shared key heads, its plan, and PSC and LoRA tensors that are far from identity.
struct Case {
  golden::SharedEngine engine;
  rope::RotaryTables tables;
  Trainable trainable;
  TrainingWindow window;

  DecoderContext context() {
    return {.config = engine->config(),
            .weights = engine->state().weights,
            .tables = tables,
            .calibration = &trainable.refresh()};
  }
};

Case caseFor(const Json& method, const std::string& dtype) {
  const golden::ModelFolder folder(golden::goldenPath(record().at("model")),
                                   golden::fileJson(golden::goldenPath(method.at("config"))));
  const auto engine = golden::loadEngine(folder.path(), dtype);
  const auto window = windowOf(record().at("token_ids"));
  const auto tokens = static_cast<std::int64_t>(window.inputs.size());
  const auto plan = must(engine->plan(engine->config().rope, tokens));
  Case example{.engine = engine,
               .tables = rope::rotaryTables(plan, tokens, at::kCPU,
                                            dtype == "float64" ? at::kDouble : at::kFloat),
               .trainable = Trainable::fresh(
                   engine->config(), {.loraRank = 8, .loraAlpha = record().at("lora_alpha")},
                   engine->state().placement, 0),
               .window = window};
  must(example.trainable.takeFrom(golden::goldenPath(record().at("file"))));
  return example;
}

class Training : public testing::TestWithParam<std::string> {
 protected:
  const Json& method() const { return record().at("methods").at(GetParam()); }
};

TEST_P(Training, HasPyTorchsLossAndGradients) {
  Case example = caseFor(method(), "float64");
  const double loss = backwardThroughWindow(example.context(), example.window);
  EXPECT_NEAR(loss, method().at("loss").get<double>(), kFloat64Tolerance);
  std::map<std::string, at::Tensor> gradients;
  example.trainable.collectGradients(gradients, 1.0);
  const Json& recorded = method().at("gradients");
  ASSERT_EQ(gradients.size(), recorded.size());
  for (const auto& [name, wanted] : recorded.items()) {
    const double norm = wanted.at("norm");
    const at::Tensor flat = gradients.at(name).flatten();
    EXPECT_GT(norm, 1e-6) << name << " shows nothing";
    EXPECT_NEAR(flat.norm().item<double>(), norm, kFloat64Tolerance * (1.0 + norm)) << name;
    for (std::size_t i = 0; i < wanted.at("at").size(); ++i) {
      EXPECT_NEAR(flat[wanted.at("at")[i].get<std::int64_t>()].item<double>(),
                  wanted.at("values")[i].get<double>(), kFloat64Tolerance * (1.0 + norm))
          << name << " at " << wanted.at("at")[i];
    }
  }
}

TEST_P(Training, TakesAdamWsSteps) {
  Case example = caseFor(method(), "float64");
  AdamWState state;
  const Json& losses = method().at("losses");
  const double clip = record().at("clip");
  for (std::size_t step = 0; step + 1 < losses.size(); ++step) {
    const double loss = backwardThroughWindow(example.context(), example.window);
    EXPECT_NEAR(loss, losses[step].get<double>(), kFloat64Tolerance) << "step " << step;
    std::map<std::string, at::Tensor> gradients;
    example.trainable.collectGradients(gradients, 1.0);
    const double norm = gradientNorm(gradients);
    EXPECT_NEAR(norm, method().at("norms")[step].get<double>(), kFloat64Tolerance * (1.0 + norm));
    // clip_grad_norm_ divides by the norm plus 1e-6; ours by the norm. AdamW is blind to a common
    // scale of the gradients but for its epsilon, so the difference stays below the tolerance.
    if (norm > clip) {
      for (auto& [name, gradient] : gradients) gradient.mul_(clip / (norm + 1e-6));
    }
    const double warmUp =
        std::min(1.0, static_cast<double>(step + 1) / record().at("warm_up").get<double>());
    adamwStep(example.trainable.masters(), gradients, record().at("rate").get<double>() * warmUp,
              {.weightDecay = record().at("weight_decay")}, state);
  }
  EXPECT_NEAR(lossOfWindow(example.context(), example.window), losses.back().get<double>(),
              kFloat64Tolerance);
}

// One graph over all layers, kept whole: what checkpointing must not change.
TEST_P(Training, CheckpointingChangesNoGradient) {
  Case example = caseFor(method(), "float64");
  std::map<std::string, at::Tensor> checkpointed;
  const double loss = backwardThroughWindow(example.context(), example.window);
  example.trainable.collectGradients(checkpointed, 1.0);

  const DecoderContext context = example.context();
  at::Tensor hidden =
      at::embedding(context.weights.embedding, at::tensor(example.window.inputs).to(at::kLong));
  for (int layer = 0; layer < context.config.layers; ++layer) {
    hidden =
        mlpHalf(context, layer, attentionHalf(context, layer, hidden, 0, attendCausalTrainable));
  }
  const at::Tensor whole = at::cross_entropy_loss(logitsOf(context, hidden),
                                                  at::tensor(example.window.targets).to(at::kLong));
  whole.backward();
  std::map<std::string, at::Tensor> plain;
  example.trainable.collectGradients(plain, 1.0);
  EXPECT_NEAR(loss, whole.item<double>(), 1e-12);
  ASSERT_EQ(plain.size(), checkpointed.size());
  for (const auto& [name, gradient] : plain) {
    const double difference = (gradient - checkpointed.at(name)).abs().max().item<double>();
    EXPECT_LE(difference, 1e-12 * (1.0 + gradient.abs().max().item<double>())) << name;
  }
}

// Central differences: error of order step^2, and rounding of the loss divided by the step.
TEST_P(Training, GradientsAreTheNumericOnes) {
  constexpr double kStep = 1e-5;
  constexpr double kTolerance = 1e-8;
  Case example = caseFor(method(), "float64");
  backwardThroughWindow(example.context(), example.window);
  std::map<std::string, at::Tensor> gradients;
  example.trainable.collectGradients(gradients, 1.0);
  for (const auto& [name, gradient] : gradients) {
    const std::int64_t element = gradient.numel() / 3;
    double* value = example.trainable.masters().at(name).mutable_data_ptr<double>() + element;
    const double middle = *value;
    const auto lossAt = [&](double shift) {
      *value = middle + shift;
      return lossOfWindow(example.context(), example.window);
    };
    const double numeric = (lossAt(kStep) - lossAt(-kStep)) / (2 * kStep);
    *value = middle;
    EXPECT_NEAR(gradient.flatten()[element].item<double>(), numeric, kTolerance) << name;
  }
}

// bfloat16 keeps 8 bits: its gradients point the same way as float64's.
TEST_P(Training, Bfloat16GradientsPointTheSameWay) {
  constexpr double kLeastCosine = 0.98;
  std::map<std::string, at::Tensor> exact;
  std::map<std::string, at::Tensor> rounded;
  for (auto* target : {&exact, &rounded}) {
    Case example = caseFor(method(), target == &exact ? "float64" : "bfloat16");
    backwardThroughWindow(example.context(), example.window);
    example.trainable.collectGradients(*target, 1.0);
  }
  double dot = 0.0;
  for (const auto& [name, gradient] : exact) {
    dot += (gradient * rounded.at(name).to(at::kDouble)).sum().item<double>();
  }
  EXPECT_GT(dot / (gradientNorm(exact) * gradientNorm(rounded)), kLeastCosine);
}

INSTANTIATE_TEST_SUITE_P(Methods, Training, testing::Values("linear", "yarn"),
                         [](const auto& instance) { return instance.param; });

TEST(FreshCalibration, ChangesNothingAndHasThePapersBounds) {
  const auto engine = golden::loadEngine(golden::goldenPath("tiny_llama"));
  const ModelConfig& c = engine->config();
  const auto placement = engine->state().placement;
  const Trainable both = Trainable::fresh(c, {.loraRank = 4}, placement, 7);
  const Trainable alone = Trainable::fresh(c, {.loraRank = 4, .phase = false}, placement, 7);
  const std::string layer = "model.layers.1.self_attn.";
  for (const auto& [name, master] : both.masters()) {
    const double largest = master.abs().max().item<double>();
    const bool zero = name.ends_with("up_phase") || name.ends_with("B_lora");
    const double bound = name.ends_with("down_phase")      ? 1.0 / c.headDim
                         : name.ends_with("o_lora.A_lora") ? 1.0 / std::sqrt(c.heads * c.headDim)
                                                           : 1.0 / std::sqrt(c.hiddenSize);
    if (zero) {
      EXPECT_EQ(largest, 0.0) << name;
    } else {
      EXPECT_LE(largest, bound) << name;
      EXPECT_GT(largest, 0.9 * bound) << name << ": a hundred uniform draws reach the ends";
    }
  }
  EXPECT_EQ(both.masters().at(layer + "k_phase.up_phase").size(0), c.kvHeads);
  for (const auto& [name, master] : alone.masters()) {
    EXPECT_TRUE(at::equal(master, both.masters().at(name)))
        << name << " starts alike with and without PSC";
  }
  const Trainable other = Trainable::fresh(c, {.loraRank = 4}, placement, 8);
  EXPECT_FALSE(at::equal(other.masters().at(layer + "q_lora.A_lora"),
                         both.masters().at(layer + "q_lora.A_lora")));
}

}  // namespace
}  // namespace ropescope::calibration
