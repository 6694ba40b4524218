// One model folder, loaded once per device and type, and what the checks run on it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/engine.h"

namespace ropescope::gpu {

struct Placed {
  std::string device;
  std::string dtype;
  auto operator<=>(const Placed&) const = default;
};
std::string placedText(const Placed& where);  // "cuda float32"

struct Method {
  std::string id;
  std::optional<double> factor;
};

class ModelRuns {
 public:
  // Reads 1.5 times the trained length of tokens from `text`.
  static Result<ModelRuns> prepare(const std::filesystem::path& folder, const std::string& text);

  // A session with room for the tokens and an answer.
  Result<std::unique_ptr<Session>> session(const Placed& where, const Method& method,
                                           std::int64_t chunkTokens,
                                           const std::vector<int>& captureLayers = {});

  // Loss of every token but the first, nats.
  Result<std::vector<double>> score(const Placed& where, const Method& method,
                                    std::int64_t chunkTokens);

  // 48 greedy ids after the first half of the tokens; EOS does not end them.
  Result<std::vector<std::int32_t>> greedy(const Placed& where, const Method& method);

  // By how much `second` is less likely than `first` after the greedy prompt and `common`, in nats
  // by the CPU in float64; at least 0.
  Result<double> lossGap(const std::vector<std::int32_t>& common, std::int32_t first,
                         std::int32_t second, const Method& method);

  // Loaded once for each place.
  Result<std::shared_ptr<const Engine>> engine(const Placed& where);

  const ModelConfig& config() const { return m_config; }
  const std::vector<std::int32_t>& ids() const { return m_ids; }

 private:
  std::vector<std::int32_t> prompt() const;

  std::filesystem::path m_folder;
  ModelConfig m_config;
  std::vector<std::int32_t> m_ids;
  std::map<Placed, std::shared_ptr<const Engine>> m_engines;
};

}  // namespace ropescope::gpu
