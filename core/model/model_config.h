// config.json of a Hugging Face folder, checked and in our words.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/rope/rope_method.h"

namespace ropescope {

struct ModelConfig {
  std::string family;        // "llama"
  std::string architecture;  // "LlamaForCausalLM"
  int layers = 0;            // L
  int hiddenSize = 0;        // E
  int heads = 0;             // H
  int kvHeads = 0;           // G
  int headDim = 0;           // D
  int intermediateSize = 0;
  int vocabularySize = 0;  // V
  double normEpsilon = 1e-5;
  bool tiedHead = false;
  bool attentionBias = false;  // on q, k, v
  bool outputBias = false;     // on o
  bool mlpBias = false;
  std::int32_t bos = -1;
  std::vector<std::int32_t> eos;  // generation stops at any of them

  // RoPE as the config has it.
  double ropeBase = 1e4;
  std::int64_t trainedLength = 0;  // tokens; original_max_position_embeddings where there is one
  std::int64_t maxPositions = 0;   // max_position_embeddings
  rope::MethodChoice rope;         // what the config asks for
  rope::ParameterValues factorLists;  // short_factor and long_factor, when the config has them
  std::vector<std::string> warnings;  // unknown rope keys and the like
};

// Errors: NotFound, CorruptFile (which field, found, wanted), Unsupported (architecture, rope type,
// activation …, with its name).
Result<ModelConfig> readModelConfig(const std::filesystem::path& folder);

}  // namespace ropescope
