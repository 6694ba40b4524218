#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include <ATen/ATen.h>

#include "core/base/file_io.h"
#include "core/base/memory_size.h"
#include "core/base/sha256.h"
#include "core/calibration/adamw_torch.h"
#include "core/calibration/corpus.h"
#include "core/calibration/gradient_torch.h"
#include "core/calibration/psc_trainer.h"
#include "core/calibration/trainable_torch.h"
#include "core/calibration/training_state_torch.h"
#include "core/engine/engine_torch.h"
#include "core/model/guard_torch.h"

namespace ropescope::calibration {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string numberText(double number) {
  char buffer[40];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr};
}

// Without pairs it scales nothing; a file names one all the same.
double alphaOf(const PscTrainingConfig& config) {
  constexpr double kPapers = 16.0;
  return config.loraAlpha.value_or(config.loraRank > 0 ? 2.0 * config.loraRank : kPapers);
}

// Files by their names alone: where they lie on this machine is nobody's business.
std::string parametersText(const rope::MethodChoice& choice) {
  std::string text;
  const auto method = rope::findMethod(choice.id);
  const auto specs = method ? method->parameters() : std::vector<rope::ParameterSpec>();
  for (const auto& [name, value] : choice.values) {
    const bool file = std::any_of(specs.begin(), specs.end(), [&](const auto& spec) {
      return spec.name == name && spec.kind == rope::ParameterKind::File;
    });
    const std::string shown = rope::valueText(value);
    text += (text.empty() ? "" : ", ") + name + "=" +
            (file ? std::filesystem::path(shown).filename().string() : shown);
  }
  return text;
}

// Frequencies and attention factor: what a method's parameters and files come to.
std::string rotationHash(const rope::RotaryPlan& plan) {
  Sha256 hash;
  for (const double frequency : plan.invFreq) hash.add(numberText(frequency) + "\n");
  hash.add(numberText(plan.attentionFactor) + "\n" + std::to_string(plan.unscaledTokens));
  return hash.hex().substr(0, 16);
}

std::string fileHash(const std::filesystem::path& path) {
  const auto bytes = readFile(path);
  if (!bytes) return "unreadable";
  Sha256 hash;
  hash.add(*bytes);
  return hash.hex().substr(0, 16);
}

constexpr double kHighestRate = 1e30;  // beyond, a step overflows float32

Status validate(const PscTrainingConfig& c) {
  const auto bad = [](const std::string& what) { return Error{ErrorCode::InvalidArgument, what}; };
  if (c.contextTokens < 2) {
    return bad("the training window has " + std::to_string(c.contextTokens) +
               " tokens; at least 2 are wanted (--context)");
  }
  if (c.steps < 1) return bad("0 steps train nothing; at least 1 is wanted (--steps)");
  if (c.loraRank < 0) return bad("the LoRA rank must be 0 or more (--lora-rank)");
  if (c.loraRank == 0 && !c.phase) {
    return bad(
        "LoRA rank 0 without PSC modules leaves nothing to train; choose a rank of 1 or more "
        "(--lora-rank), or leave --no-psc out");
  }
  if (!(alphaOf(c) > 0.0)) return bad("the LoRA alpha must be above 0 (--lora-alpha)");
  if (!(c.rate > 0.0 && c.rate <= kHighestRate)) {
    return bad("the learning rate must be above 0 and at most " + numberText(kHighestRate) +
               " (--rate)");
  }
  if (c.windowsPerStep < 1) return bad("a step needs at least one window (--accumulate)");
  if (!(c.clipNorm > 0.0)) return bad("the gradient's greatest length must be above 0 (--clip)");
  if (c.saveEvery < 1) return bad("at least one step lies between savings (--save-every)");
  if (c.maxMinutes && !(*c.maxMinutes > 0.0)) {
    return bad("the time must be above 0 minutes (--max-minutes)");
  }
  return Done{};
}

// One run: everything that its steps share.
class Training {
 public:
  Training(const Engine& engine, const PscTrainingConfig& config, Corpus corpus,
           rope::RotaryPlan plan)
      : m_engine(engine),
        m_config(config),
        m_corpus(std::move(corpus)),
        m_plan(std::move(plan)),
        m_tables(rope::rotaryTables(
            m_plan, config.contextTokens, engine.state().placement.device,
            engine.state().placement.dtype == at::kDouble ? at::kDouble : at::kFloat)),
        m_settings(trainingSettings(engine, config, m_corpus.fingerprint())),
        m_trainable(Trainable::fresh(
            engine.config(),
            {.loraRank = config.loraRank, .loraAlpha = alphaOf(config), .phase = config.phase},
            engine.state().placement, config.seed)) {}

  Status prepare() {
    if (!m_config.resume) return m_config.init ? start(*m_config.init) : Status(Done{});
    auto state = loadState(statePath(m_config.out), m_trainable, m_settings);
    if (!state) return state.error();
    m_state = *std::move(state);
    if (stepsDone() <= m_config.steps) return Done{};
    return Error{ErrorCode::InvalidArgument,
                 statePath(m_config.out).string() + " is already at step " +
                     countText(stepsDone()) + ", " + countText(m_config.steps) +
                     " are wanted; give --steps " + std::to_string(stepsDone()) +
                     " or more, or name another file with --out"};
  }

  // False when the job was stopped inside the step, which then leaves no trace.
  Result<bool> step(TrainingStep& report, const JobControl& job) {
    const auto start = Clock::now();
    const std::int64_t number = m_state.optimizer.steps;  // steps done
    const DecoderContext context{.config = m_engine.config(),
                                 .weights = m_engine.state().weights,
                                 .tables = m_tables,
                                 .calibration = &m_trainable.refresh()};
    std::map<std::string, at::Tensor> gradients;
    double loss = 0.0;
    for (int part = 0; part < m_config.windowsPerStep; ++part) {
      if (job.stopRequested()) return false;
      const auto window =
          m_corpus.window(static_cast<std::uint64_t>(number * m_config.windowsPerStep + part));
      if (!window) return window.error();
      loss += backwardThroughWindow(context, *window) / m_config.windowsPerStep;
      m_trainable.collectGradients(gradients, 1.0 / m_config.windowsPerStep);
    }
    report.step = number + 1;
    report.loss = loss;
    report.gradientNorm = gradientNorm(gradients);
    if (!std::isfinite(loss) || !std::isfinite(report.gradientNorm)) return notFinite(report);
    if (report.gradientNorm > m_config.clipNorm) {
      for (auto& [name, gradient] : gradients) {
        gradient.mul_(m_config.clipNorm / report.gradientNorm);
      }
    }
    const double warmUp =
        std::min(1.0, static_cast<double>(number + 1) / std::max(1, m_config.warmupSteps));
    m_proven = copyOfState();
    adamwStep(m_trainable.masters(), gradients, m_config.rate * warmUp, {}, m_state.optimizer);
    m_state.losses.push_back(loss);
    const double seconds = secondsSince(start);
    m_state.seconds += seconds;
    report.tokensPerSecond = static_cast<double>(tokensPerStep()) / seconds;
    return true;
  }

  // State first: a kill between the two leaves a calibration that is merely older.
  Status save() {
    if (Status saved = saveState(statePath(m_config.out), m_trainable, m_state, m_settings);
        !saved) {
      return saved;
    }
    return m_trainable.save(m_config.out, origin());
  }

  std::int64_t stepsDone() const { return m_state.optimizer.steps; }
  std::int64_t tokensPerStep() const { return m_config.contextTokens * m_config.windowsPerStep; }
  const TrainingState& state() const { return m_state; }
  std::int64_t parameters() const { return m_trainable.parameters(); }
  std::int64_t peakBytes() const { return m_engine.peakBytes(); }
  const std::string& corpusHash() const { return m_corpus.fingerprint(); }

 private:
  CalibrationOrigin origin() const {
    return {.modelHash = m_engine.modelHash(),
            .modelName = m_engine.folder().filename().string(),
            .method = m_plan.method,
            .parameters = parametersText(m_config.rope),
            .factor = m_plan.context.factor,
            .originalLength = m_plan.context.originalLength,
            .trainedContext = m_config.contextTokens,
            .loraAlpha = alphaOf(m_config),
            .steps = stepsDone(),
            .tokensPerStep = tokensPerStep(),
            .seed = m_config.seed};
  }

  // From a trained file, which must fit what is trained here.
  Status start(const std::filesystem::path& file) {
    const auto metadata = m_trainable.takeFrom(file);
    if (!metadata) return metadata.error();
    const auto origin = originFrom(*metadata);
    if (!origin) {
      m_config.log(LogLevel::Warning, file.string() +
                                          " does not say where it comes from: origin "
                                          "unknown, alpha 16 is taken");
    } else if (m_config.initCheck == OriginCheck::Enforce) {
      const std::string name = file.string();
      const Status model =
          checkModel(*origin, name, m_engine.modelHash(), m_engine.folder().filename().string());
      if (!model) return model.error();
      if (Status method = checkMethod(*origin, name, m_plan); !method) return method.error();
    }
    const double alpha = origin ? origin->loraAlpha : 16.0;
    if (alpha == alphaOf(m_config) || m_config.initCheck == OriginCheck::Ignore) return Done{};
    return Error{ErrorCode::InvalidArgument,
                 file.string() + " was trained with LoRA alpha " + numberText(alpha) + ", " +
                     numberText(alphaOf(m_config)) + " is chosen: its pairs would count " +
                     numberText(alphaOf(m_config) / alpha) +
                     " times as much; choose --lora-alpha " + numberText(alpha) +
                     ", or use it all the same with --force"};
  }

  struct Snapshot {
    std::map<std::string, at::Tensor> masters;
    TrainingState state;
  };

  static std::map<std::string, at::Tensor> clones(const std::map<std::string, at::Tensor>& from) {
    std::map<std::string, at::Tensor> to;
    for (const auto& [name, tensor] : from) to[name] = tensor.clone();
    return to;
  }

  Snapshot copyOfState() const {
    Snapshot copy{clones(m_trainable.masters()), m_state};
    copy.state.optimizer.first = clones(m_state.optimizer.first);
    copy.state.optimizer.second = clones(m_state.optimizer.second);
    return copy;
  }

  // The last update made weights whose loss is no number: the ones before it had a finite loss.
  // Without an update in this run, what the file holds stays.
  Error notFinite(const TrainingStep& report) {
    const std::string what =
        "the loss of step " + std::to_string(report.step) + " is not a finite number; ";
    if (!m_proven) {
      return {ErrorCode::Unsupported,
              what + "no step was done and no file is changed; start anew with a lower --rate"};
    }
    for (auto& [name, tensor] : m_trainable.masters()) tensor.copy_(m_proven->masters.at(name));
    m_state = m_proven->state;
    const Status saved = save();
    return {ErrorCode::Unsupported,
            what + "the update of step " + std::to_string(report.step - 1) +
                " is undone, and the state after " + std::to_string(stepsDone()) +
                " steps is kept in " + statePath(m_config.out).string() +
                "; start anew with a lower --rate, with --init " + m_config.out.string() +
                " from there" +
                (saved ? "" : " (it could not be saved: " + saved.error().message + ")")};
  }

  const Engine& m_engine;
  const PscTrainingConfig& m_config;
  Corpus m_corpus;
  rope::RotaryPlan m_plan;
  rope::RotaryTables m_tables;
  std::map<std::string, std::string> m_settings;
  Trainable m_trainable;
  TrainingState m_state;
  std::optional<Snapshot> m_proven;  // before the last update of this run
};

Result<PscTrainingResult> run(Training& training, const PscTrainingConfig& config,
                              const std::function<void(const TrainingStep&)>& onStep,
                              const JobControl& job) {
  const auto start = Clock::now();
  PscTrainingResult result{.resumedFrom = training.stepsDone(),
                           .parameters = training.parameters(),
                           .corpusHash = training.corpusHash(),
                           .tokensPerStep = training.tokensPerStep(),
                           .startBytes = training.peakBytes()};
  std::int64_t unsaved = 0;
  while (training.stepsDone() < config.steps) {
    if (config.maxMinutes && secondsSince(start) >= *config.maxMinutes * 60.0) {
      result.end = TrainingEnd::Minutes;
      break;
    }
    TrainingStep report;
    const auto whole = training.step(report, job);
    if (!whole) return whole.error();
    if (!*whole) {
      result.end = TrainingEnd::Stopped;
      break;
    }
    const std::int64_t done = training.stepsDone() - result.resumedFrom;
    report.secondsLeft = secondsSince(start) / static_cast<double>(done) *
                         static_cast<double>(config.steps - training.stepsDone());
    if (onStep) onStep(report);
    job.report({"train", training.stepsDone(), config.steps});
    job.step();
    if (++unsaved == config.saveEvery) {
      if (Status saved = training.save(); !saved) return saved.error();
      unsaved = 0;
    }
  }
  if (unsaved > 0 || training.stepsDone() == result.resumedFrom) {
    if (Status saved = training.save(); !saved) return saved.error();
  }
  result.losses = training.state().losses;
  result.seconds = training.state().seconds;
  const auto tokens =
      static_cast<double>((training.stepsDone() - result.resumedFrom) * training.tokensPerStep());
  result.tokensPerSecond = tokens / std::max(secondsSince(start), 1e-9);
  result.peakBytes = training.peakBytes();
  return result;
}

}  // namespace

std::filesystem::path statePath(const std::filesystem::path& out) {
  return out.string() + ".state";
}

std::map<std::string, std::string> trainingSettings(const Engine& engine,
                                                    const PscTrainingConfig& config,
                                                    const std::string& corpusFingerprint) {
  const auto plan = engine.plan(config.rope, config.contextTokens);
  return {{"model hash", engine.modelHash()},
          {"type", engine.dtype()},
          {"rope method", config.rope.id},
          {"rope parameters", parametersText(config.rope)},
          {"rope factor", plan ? numberText(plan->context.factor) : "unknown"},
          {"rotation", plan ? rotationHash(*plan) : "unknown"},
          {"context", std::to_string(config.contextTokens)},
          {"phase modules", config.phase ? "on" : "off"},
          {"LoRA rank", std::to_string(config.loraRank)},
          {"LoRA alpha", numberText(alphaOf(config))},
          {"rate", numberText(config.rate)},
          {"warm-up steps", std::to_string(config.warmupSteps)},
          {"windows per step", std::to_string(config.windowsPerStep)},
          {"clip norm", numberText(config.clipNorm)},
          {"seed", std::to_string(config.seed)},
          {"corpus", corpusFingerprint},
          {"init", config.init ? fileHash(*config.init) : "none"}};
}

Result<PscTrainingResult> trainPsc(const Engine& engine, const PscTrainingConfig& config,
                                   const std::function<void(const TrainingStep&)>& onStep,
                                   const JobControl& job) {
  return guardTorch("training", [&]() -> Result<PscTrainingResult> {
    if (Status valid = validate(config); !valid) return valid.error();
    auto plan = engine.plan(config.rope, config.contextTokens);
    if (!plan) return plan.error();
    const auto tokenizer = engine.tokenizer();
    auto corpus = Corpus::open({.files = config.corpus,
                                .tokenizer = tokenizer ? *tokenizer : nullptr,
                                .vocabularySize = engine.config().vocabularySize,
                                .windowTokens = config.contextTokens,
                                .seed = config.seed,
                                .log = config.log});
    if (!corpus) return corpus.error();
    Training training(engine, config, *std::move(corpus), *std::move(plan));
    if (Status prepared = training.prepare(); !prepared) return prepared.error();
    if (Status writable = checkWritable(config.out); !writable) return writable.error();
    return run(training, config, onStep, job);
  });
}

}  // namespace ropescope::calibration
