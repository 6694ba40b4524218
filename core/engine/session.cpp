#include "core/engine/session.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/base/memory_size.h"
#include "core/engine/answer_steps.h"
#include "core/engine/attention_map_torch.h"
#include "core/engine/cuda_kernels_torch.h"
#include "core/engine/device_torch.h"
#include "core/engine/session_steps_torch.h"
#include "core/model/guard_torch.h"
#include "core/model/token_losses_torch.h"

namespace ropescope {
namespace {

using State = Session::State;

Status checkOptions(const Engine& engine, const SessionOptions& options) {
  if (options.contextTokens < 1 || options.contextTokens > (std::int64_t{1} << 26)) {
    return Error{ErrorCode::InvalidArgument, "the planned context is " +
                                                 std::to_string(options.contextTokens) +
                                                 " tokens; 1 to 67,108,864 are possible"};
  }
  if (options.chunkTokens < 0) {
    return Error{ErrorCode::InvalidArgument, "the prefill chunk is " +
                                                 std::to_string(options.chunkTokens) +
                                                 " tokens; at least 1 is wanted, or 0 for the "
                                                 "engine's choice"};
  }
  if (!(options.pscStrength >= 0.0 && options.pscStrength <= 2.0)) {
    return Error{ErrorCode::InvalidArgument,
                 "the PSC strength is " + rope::valueText(options.pscStrength) +
                     "; 0 (identity) to 1 (as trained), at most 2, is wanted"};
  }
  const std::size_t calibrated =
      options.calibration ? options.calibration->tensors().layers.size() : 0;
  if (options.calibration && calibrated != static_cast<std::size_t>(engine.config().layers)) {
    return Error{ErrorCode::InvalidArgument,
                 "the calibration was loaded for a model of " + std::to_string(calibrated) +
                     " layers, this one has " + std::to_string(engine.config().layers) +
                     "; load it for this model"};
  }
  for (const int layer : options.captureLayers) {
    if (layer < 0 || layer >= engine.config().layers) {
      return Error{ErrorCode::InvalidArgument, "layer " + std::to_string(layer) +
                                                   " cannot be captured; the model has layers 0 "
                                                   "to " +
                                                   std::to_string(engine.config().layers - 1)};
    }
  }
  return Done{};
}

// A calibration belongs to the method that it was trained under.
Status checkCalibration(const SessionOptions& options, const rope::RotaryPlan& plan) {
  if (!options.calibration) return Done{};
  const CalibrationInfo& info = options.calibration->info();
  if (!info.origin || info.originIgnored) return Done{};
  return checkMethod(*info.origin, info.path.string(), plan);
}

Status checkMemory(const Engine& engine, const SessionOptions& options) {
  const MemoryEstimate need = engine.memoryFor(options.room());
  const std::int64_t bytes =
      need.kvCache + need.workspace +
      need.capturePerLayer * static_cast<std::int64_t>(options.captureLayers.size());
  const std::int64_t free = availableBytes(engine.state().placement.device);
  if (free < 0 || bytes <= free) return Done{};
  const auto fits =
      static_cast<std::int64_t>(static_cast<double>(options.room()) *
                                static_cast<double>(free) / static_cast<double>(bytes));
  return Error{ErrorCode::OutOfMemory, "a context of " + countText(options.room()) +
                                           " tokens needs " + bytesText(bytes) + ", " +
                                           bytesText(free) + " are free; about " + countText(fits) +
                                           " tokens would fit"};
}

// One kernel instead of ten small ones; what it does not take goes the usual way.
Rotate kernelRotation(const Engine::State& engine) {
  if (!engine.kernels) return {};
  return [&kernels = *engine.kernels](const at::Tensor& x, const rope::RotaryTables& tables,
                                      std::int64_t first) {
    if (!kernelsTake(x)) return rope::rotate(x, tables, first);
    const Status rotated = rotateInPlace(kernels, x, tables, first);
    TORCH_CHECK(rotated, rotated ? "" : rotated.error().message);
    return x;
  };
}

}  // namespace

DecoderContext State::context() const {
  const Engine::State& e = engine->state();
  return {.config = e.config,
          .weights = e.weights,
          .tables = tables,
          .calibration = options.calibration ? &options.calibration->tensors() : nullptr,
          .pscStrength = options.pscStrength,
          .lora = options.lora,
          .rotate = kernelRotation(e)};
}

Result<std::unique_ptr<State>> makeSessionState(std::shared_ptr<const Engine> engine,
                                                const SessionOptions& options) {
  using Made = Result<std::unique_ptr<State>>;
  if (Status valid = checkOptions(*engine, options); !valid) return valid.error();
  if (Status fits = checkMemory(*engine, options); !fits) return fits.error();
  auto plan = engine->plan(options.rope, options.contextTokens);
  if (!plan) return plan.error();
  if (Status fits = checkCalibration(options, *plan); !fits) return fits.error();
  return guardTorch("allocating the KV cache", [&]() -> Made {
    const at::NoGradGuard noGrad;
    const Engine::State& e = engine->state();
    const auto tableType = e.placement.dtype == at::kDouble ? at::kDouble : at::kFloat;
    const std::int64_t capacity = options.room();
    auto tables = rope::rotaryTables(*plan, capacity, e.placement.device, tableType);
    std::map<int, LayerCapture> captures;
    const auto where = at::TensorOptions().device(e.placement.device);
    for (const int layer : options.captureLayers) {
      captures[layer] = {at::empty({capacity, e.config.hiddenSize}, where.dtype(e.placement.dtype)),
                         at::empty({e.config.heads, capacity}, where.dtype(tableType))};
    }
    SessionOptions chosen = options;
    if (chosen.chunkTokens == 0) chosen.chunkTokens = engine->chunkTokens(options.contextTokens);
    return std::make_unique<State>(State{.engine = engine,
                                         .options = std::move(chosen),
                                         .plan = *std::move(plan),
                                         .tables = std::move(tables),
                                         .cache = KvCache(e.config, capacity, e.placement),
                                         .captures = std::move(captures),
                                         .tokens = {},
                                         .borders = {0},
                                         .logits = {}});
  });
}

Session::Session(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Session::~Session() = default;

const rope::RotaryPlan& Session::plan() const {
  return m_state->plan;
}
const SessionOptions& Session::options() const {
  return m_state->options;
}
std::span<const std::int32_t> Session::tokens() const {
  return m_state->tokens;
}
std::int64_t Session::position() const {
  return static_cast<std::int64_t>(m_state->tokens.size());
}
std::int64_t Session::cacheBytes() const {
  return m_state->engine->kvBytesPerToken() * m_state->options.room();
}
std::int64_t Session::captureBytes() const {
  return m_state->engine->memoryFor(m_state->options.room()).capturePerLayer *
         static_cast<std::int64_t>(m_state->captures.size());
}

void Session::rewind(std::int64_t position) {
  State& state = *m_state;
  if (position >= this->position()) return;
  state.tokens.resize(static_cast<std::size_t>(std::max<std::int64_t>(position, 0)));
  state.borders.erase(state.borders.upper_bound(position), state.borders.end());
  state.logits.reset();
}

Result<PrefillResult> Session::prefill(const std::vector<std::vector<std::int32_t>>& parts,
                                       const JobControl& job) {
  auto reading = PromptReading::begin(*this, parts);
  if (!reading) return reading.error();
  const std::int64_t total = reading->result().promptTokens;
  job.report({"prefill", position(), total});
  while (!reading->isDone()) {
    if (job.stopRequested()) {
      return Error{ErrorCode::Cancelled, "stopped after " + countText(position()) + " of " +
                                             countText(total) +
                                             " prompt tokens; these stay in the cache"};
    }
    if (Status read = reading->readChunk(); !read) return read.error();
    job.report({"prefill", position(), total});
    job.step();
  }
  return reading->result();
}

Result<Generation> Session::generate(const GenerationConfig& config, const TokenSink& onToken,
                                     const JobControl& job) {
  auto drawing = AnswerDrawing::begin(*this, config);
  if (!drawing) return drawing.error();
  Generation generation;
  while (true) {
    if (job.stopRequested()) {
      generation.finishReason = FinishReason::Stopped;
      return generation;
    }
    const auto token = drawing->draw();
    if (!token) break;
    generation.tokens.push_back(*token);
    if (onToken) onToken(*token);
    job.report(
        {"decode", static_cast<std::int64_t>(generation.tokens.size()), config.maxNewTokens});
    if (Status advanced = drawing->advance(); !advanced) return advanced.error();
    job.step();
  }
  generation.finishReason = drawing->finishReason();
  return generation;
}

Result<Score> Session::score(std::span<const std::int32_t> ids, const LossSink& onLosses,
                             const JobControl& job) {
  State& state = *m_state;
  const auto total = static_cast<std::int64_t>(ids.size());
  if (total < 2) {
    return Error{ErrorCode::InvalidArgument,
                 "scoring needs at least 2 tokens, there are " + std::to_string(total)};
  }
  if (Status valid = checkIds(state, ids); !valid) return valid.error();
  if (Status fits = checkLength(state, total, "the text"); !fits) return fits.error();
  rewind(0);
  return guardTorch("scoring", [&]() -> Result<Score> {
    const at::NoGradGuard noGrad;
    Score score;
    score.nll.reserve(ids.size() - 1);
    for (const std::int64_t end : chunkEnds({total}, state.options.chunkTokens)) {
      if (job.stopRequested()) {
        return Error{ErrorCode::Cancelled, "stopped after " + countText(position()) + " of " +
                                               countText(total) + " tokens"};
      }
      const auto begin = static_cast<std::size_t>(position());
      const auto chunk = ids.subspan(begin, static_cast<std::size_t>(end) - begin);
      const at::Tensor hidden = appendChunk(state, chunk);
      state.borders.insert(end);
      // The chunk's last token is predicted from it only if there is one more.
      const std::int64_t scored = std::min(end + 1, total) - static_cast<std::int64_t>(begin) - 1;
      const auto losses = tokenLosses(state.context(), hidden.narrow(0, 0, scored),
                                      ids.subspan(begin + 1, static_cast<std::size_t>(scored)));
      const auto odd = std::find_if_not(losses.begin(), losses.end(),
                                        [](double loss) { return std::isfinite(loss); });
      if (odd != losses.end()) {
        return notFinite(state, static_cast<std::int64_t>(begin) + (odd - losses.begin()));
      }
      score.nll.insert(score.nll.end(), losses.begin(), losses.end());
      if (end == total) {
        if (Status kept = keepLogits(state, hidden); !kept) return kept.error();
      }
      if (onLosses) onLosses(static_cast<std::int64_t>(begin), losses);
      job.report({"score", end, total});
      job.step();
    }
    const float* last = state.logits.const_data_ptr<float>();
    score.lastLogits.assign(last, last + state.logits.numel());
    return score;
  });
}

Result<AttentionMap> Session::attentionMap(const MapRequest& request, const JobControl& job) const {
  const State& state = *m_state;
  return guardTorch("drawing the attention map", [&]() -> Result<AttentionMap> {
    const at::NoGradGuard noGrad;
    return drawAttentionMap(state, request, job);
  });
}

}  // namespace ropescope
