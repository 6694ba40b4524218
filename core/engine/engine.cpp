#include "core/engine/engine.h"

#include <limits>
#include <thread>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "core/base/memory_size.h"
#include "core/engine/chunk_size.h"
#include "core/engine/cuda_kernels.h"
#include "core/engine/device_torch.h"
#include "core/engine/engine_torch.h"
#include "core/engine/session_torch.h"
#include "core/model/calibration_torch.h"
#include "core/model/kv_cache_torch.h"

namespace ropescope {
namespace {

Result<int> chooseThreads(int wanted) {
  constexpr int kMost = 1024;
  if (wanted < 0 || wanted > kMost) {
    return Error{ErrorCode::InvalidArgument,
                 "threads is " + std::to_string(wanted) + "; 0 (one per core) to 1024 is wanted"};
  }
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return wanted == 0 ? cores : wanted;
}

// The kernel library is an improvement, not a need: without it ATen draws the maps, and the log
// says so.
std::optional<CudaKernels> chooseKernels(const Placement& placement, const LogSink& log) {
  if (!placement.device.is_cuda()) return std::nullopt;
  const auto kernels = loadCudaKernels();
  if (kernels) return *kernels;
  const bool absent = kernels.error().code == ErrorCode::NotFound;
  logTo(log, absent ? LogLevel::Info : LogLevel::Warning, kernels.error().message);
  return std::nullopt;
}

// A tokenizer with more pieces than the model has embeddings would index beyond them. Ids need none:
// it is refused where a text is to be read, as one that is not there.
void checkTokenizer(Engine::State& state) {
  if (!state.tokenizer) return;
  const int pieces = (*state.tokenizer)->size();
  if (pieces <= state.config.vocabularySize) return;
  state.tokenizer = Error{ErrorCode::CorruptFile, state.folder.string() + ": tokenizer.model has " +
                                           std::to_string(pieces) +
                                           " pieces, the model's vocabulary " +
                                           std::to_string(state.config.vocabularySize) +
                                           "; tokenizer and weights do not belong together; restore the "
                          "model's own tokenizer.model, or give token ids with --tokens"};
}

// A config without eos_token_id must not mean answers that never end.
void takeEosFromTokenizer(Engine::State& state) {
  if (!state.config.eos.empty() || !state.tokenizer || (*state.tokenizer)->eos() < 0) return;
  state.config.eos = {(*state.tokenizer)->eos()};
  state.config.warnings.push_back(state.folder.string() +
                                  ": no eos_token_id in the config; the tokenizer's end token " +
                                  std::to_string((*state.tokenizer)->eos()) + " is used");
}

}  // namespace

Engine::Engine(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Engine::~Engine() = default;

Result<std::shared_ptr<const Engine>> Engine::load(const EngineOptions& options,
                                                   const JobControl& job) {
  const auto threads = chooseThreads(options.threads);
  if (!threads) return threads.error();
  auto config = readModelConfig(options.model);
  if (!config) return config.error();
  const auto placement = choosePlacement(options.device, options.dtype, options.log);
  if (!placement) return placement.error();
  at::set_num_threads(*threads);
  auto state = std::make_unique<State>();
  state->folder = options.model;
  state->config = *std::move(config);
  state->placement = *placement;
  state->device = deviceText(placement->device);
  state->dtype = dtypeName(placement->dtype);
  state->threads = *threads;
  state->kernels = chooseKernels(*placement, options.log);
  auto format = readPromptFormat(options.model);
  if (!format) return format.error();
  state->promptFormat = *std::move(format);
  state->tokenizer = Tokenizer::load(options.model);
  checkTokenizer(*state);
  takeEosFromTokenizer(*state);
  auto weights = loadWeights(options.model, state->config, *placement, job);
  if (!weights) return weights.error();
  state->weights = *std::move(weights);
  for (const auto& warning : state->config.warnings) logTo(options.log, LogLevel::Warning, warning);
  logTo(options.log, LogLevel::Info,
        options.model.string() + ": " + bytesText(state->weights.bytes) + " of weights on " +
            state->device + " in " + state->dtype);
  return std::shared_ptr<const Engine>(std::make_shared<Engine>(std::move(state)));
}

const ModelConfig& Engine::config() const {
  return m_state->config;
}
const std::filesystem::path& Engine::folder() const {
  return m_state->folder;
}
const std::string& Engine::modelHash() const {
  return m_state->weights.hash;
}
const std::string& Engine::device() const {
  return m_state->device;
}
const std::string& Engine::dtype() const {
  return m_state->dtype;
}
int Engine::threads() const {
  return m_state->threads;
}
Result<std::shared_ptr<const Tokenizer>> Engine::tokenizer() const {
  return m_state->tokenizer;
}
const PromptFormat& Engine::promptFormat() const {
  return m_state->promptFormat;
}

std::int64_t Engine::chunkTokens(std::int64_t contextTokens) const {
  const auto bytes = static_cast<std::int64_t>(at::elementSize(m_state->placement.dtype));
  return m_state->placement.device.is_cuda()
             ? gpuChunkTokens(contextTokens, m_state->weights.bytes / bytes)
             : kShortestChunk;
}

std::int64_t Engine::batchChunkTokens() const {
  return chunkTokens(std::numeric_limits<std::int64_t>::max());
}

std::int64_t Engine::kvBytesPerToken() const {
  const ModelConfig& c = config();
  const auto bytes = static_cast<std::int64_t>(at::elementSize(m_state->placement.dtype));
  return kvCacheBytes(c.layers, c.kvHeads, c.headDim, bytes, 1);
}

MemoryEstimate Engine::memoryFor(std::int64_t tokens) const {
  const ModelConfig& c = config();
  const auto bytes = static_cast<std::int64_t>(at::elementSize(m_state->placement.dtype));
  const std::int64_t chunk = std::min(tokens, chunkTokens(tokens));
  MemoryEstimate estimate;
  estimate.weights = m_state->weights.bytes;
  estimate.kvCache = kvBytesPerToken() * tokens;
  // Per token of a chunk: the MLP's three wide rows, q, k, v and the residual stream; and the cos
  // and sin tables of every position.
  estimate.workspace = chunk * bytes *
                           (std::int64_t{3} * c.intermediateSize + std::int64_t{8} * c.hiddenSize +
                            std::int64_t{4} * c.heads * c.headDim) +
                       tokens * c.headDim * 4;
  estimate.capturePerLayer =
      tokens * (std::int64_t{c.hiddenSize} * bytes + c.heads * std::max<std::int64_t>(bytes, 4));
  return estimate;
}

std::int64_t Engine::availableBytes() const {
  return ropescope::availableBytes(m_state->placement.device);
}

std::int64_t Engine::peakBytes() const {
  return ropescope::peakBytes(m_state->placement.device);
}

rope::MethodChoice Engine::completed(const rope::MethodChoice& choice) const {
  rope::MethodChoice complete = choice;
  const auto method = rope::findMethod(choice.id);
  if (!method) return complete;
  if (choice.values.contains("factors")) {
    std::erase_if(complete.values, [&](const auto& each) {
      const auto own = config().rope.values.find(each.first);
      return choice.id == config().rope.id && own != config().rope.values.end() &&
             own->second == each.second;
    });
    return complete;
  }
  for (const rope::ParameterSpec& spec : method->parameters()) {
    const auto list = config().factorLists.find(spec.name);
    if (list != config().factorLists.end()) complete.values.insert(*list);
  }
  return complete;
}

Result<rope::RotaryPlan> Engine::plan(const rope::MethodChoice& choice,
                                      std::int64_t plannedLength) const {
  auto made = rope::makePlan(completed(choice), {.base = config().ropeBase,
                                                 .headDim = config().headDim,
                                                 .originalLength = config().trainedLength,
                                                 .plannedLength = plannedLength});
  const rope::MethodChoice& own = config().rope;
  if (made || choice.id != own.id || choice.factor != own.factor || choice.values != own.values) {
    return made;
  }
  return Error{made.error().code, (folder() / "config.json").string() + " asks for " + own.id +
                                      ": " + made.error().message +
                                      "; another method replaces it (--rope)"};
}

Result<std::shared_ptr<const Calibration>> Engine::loadCalibration(
    const std::filesystem::path& path, OriginCheck check) const {
  const auto& named = folder().has_filename() ? folder() : folder().parent_path();
  return readCalibration(path, config(), m_state->placement,
                         {.hash = modelHash(), .name = named.filename().string()}, check);
}

Result<std::unique_ptr<Session>> Engine::newSession(const SessionOptions& options) const {
  auto state = makeSessionState(shared_from_this(), options);
  if (!state) return state.error();
  return std::make_unique<Session>(*std::move(state));
}

}  // namespace ropescope
