// One loaded model: weights, tokenizer, prompt format. Const and shared after loading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/base/log.h"
#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/document/prompt_format.h"
#include "core/engine/session.h"
#include "core/model/model_config.h"
#include "core/tokenizer/tokenizer.h"

namespace ropescope {

struct EngineOptions {
  std::filesystem::path model;   // Hugging Face folder
  std::string device = "auto";   // auto, cpu, cuda, cuda:N; auto: the first GPU, else the CPU
  std::string dtype = "auto";    // auto, float32, bfloat16, float16, float64;
                                 // auto: bfloat16 on a GPU, float32 on a CPU
  int threads = 0;               // of the CPU; 0: one per core
  LogSink log;
};

// Bytes that a session of so many tokens needs, from the model's shapes.
struct MemoryEstimate {
  std::int64_t weights = 0;
  std::int64_t kvCache = 0;
  std::int64_t workspace = 0;  // one prefill chunk's activations
  std::int64_t capturePerLayer = 0;
  std::int64_t total() const { return weights + kvCache + workspace; }
};

class Engine : public std::enable_shared_from_this<Engine> {
 public:
  static Result<std::shared_ptr<const Engine>> load(const EngineOptions& options,
                                                    const JobControl& job);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const ModelConfig& config() const;
  const std::filesystem::path& folder() const;
  // SHA-256 over config.json and the safetensors headers.
  const std::string& modelHash() const;
  const std::string& device() const;  // "cpu", "cuda:0"
  const std::string& dtype() const;   // "float32", …
  int threads() const;

  // NotFound or CorruptFile when the folder has no usable tokenizer: ids still work.
  Result<std::shared_ptr<const Tokenizer>> tokenizer() const;
  const PromptFormat& promptFormat() const;

  // Prefill step of a session that plans so many tokens: 512 on a CPU, more on a GPU, which small
  // chunks leave idle (chunk_size.h). Depends on nothing measured: same input, same bits.
  std::int64_t chunkTokens(std::int64_t contextTokens) const;
  // The same where nobody watches a single reading: many windows or prompts, one after the other.
  std::int64_t batchChunkTokens() const;
  std::int64_t kvBytesPerToken() const;
  MemoryEstimate memoryFor(std::int64_t tokens) const;
  // That more sessions may take on the device without swapping; -1: unknown.
  std::int64_t availableBytes() const;
  // The most that this process has held so far: resident memory on a CPU, tensors on a GPU.
  std::int64_t peakBytes() const;

  // The choice with the factor lists that the config holds, where it leaves them out. A factor file
  // replaces all that the config says about the method's parameters.
  rope::MethodChoice completed(const rope::MethodChoice& choice) const;
  // The plan a session with this choice, completed, and planned length would have.
  Result<rope::RotaryPlan> plan(const rope::MethodChoice& choice,
                                std::int64_t plannedLength) const;

  // Errors as in CalibrationInfo; a tensor of a wrong shape is CorruptFile with both shapes. A file
  // trained for another model is refused here, for another RoPE method by newSession(): both named.
  Result<std::shared_ptr<const Calibration>> loadCalibration(
      const std::filesystem::path& path, OriginCheck check = OriginCheck::Enforce) const;

  Result<std::unique_ptr<Session>> newSession(const SessionOptions& options) const;

  struct State;  // engine_torch.h
  explicit Engine(std::unique_ptr<State> state);
  const State& state() const { return *m_state; }

 private:
  std::unique_ptr<State> m_state;
};

}  // namespace ropescope
