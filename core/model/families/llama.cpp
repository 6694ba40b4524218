// Llama and what is built like it: RMSNorm before attention and MLP, rotate-half RoPE, grouped-query
// attention, SwiGLU.  Field names and defaults of transformers' LlamaConfig.
#include "core/base/json_text.h"
#include "core/model/model_family.h"

namespace ropescope {
namespace {

using Json = nlohmann::json;

Status readShapes(const Json& json, const std::string& file, ModelConfig& config) {
  struct Field {
    const char* name;
    int* target;
  };
  for (const Field& field : {Field{"num_hidden_layers", &config.layers},
                             Field{"hidden_size", &config.hiddenSize},
                             Field{"num_attention_heads", &config.heads},
                             Field{"intermediate_size", &config.intermediateSize},
                             Field{"vocab_size", &config.vocabularySize}}) {
    const auto value = wholeNumber(json, field.name, file);
    if (!value) return value.error();
    if (*value < 1 || *value > (std::int64_t{1} << 24)) {
      return Error{ErrorCode::CorruptFile, file + ": '" + field.name + "' is " +
                                               std::to_string(*value) +
                                               "; a count from 1 to 16,777,216 is wanted"};
    }
    *field.target = static_cast<int>(*value);
  }
  const auto kvHeads = wholeNumberOr(json, "num_key_value_heads", config.heads, file);
  if (!kvHeads) return kvHeads.error();
  const auto headDim =
      wholeNumberOr(json, "head_dim", config.hiddenSize / config.heads, file);
  if (!headDim) return headDim.error();
  if (*kvHeads < 1 || config.heads % *kvHeads != 0) {
    return Error{ErrorCode::CorruptFile,
                 file + ": " + std::to_string(config.heads) + " query heads cannot share " +
                     std::to_string(*kvHeads) + " key/value heads evenly"};
  }
  if (*headDim < 4 || *headDim > (1 << 16) || *headDim % 2 != 0) {
    return Error{ErrorCode::CorruptFile,
                 file + ": 'head_dim' is " + std::to_string(*headDim) +
                     "; an even number from 4 to 65,536 is wanted"};
  }
  config.kvHeads = static_cast<int>(*kvHeads);
  config.headDim = static_cast<int>(*headDim);
  return Done{};
}

Status readSwitches(const Json& json, const std::string& file, ModelConfig& config) {
  struct Switch {
    const char* name;
    bool* target;
  };
  for (const Switch& field : {Switch{"tie_word_embeddings", &config.tiedHead},
                              Switch{"attention_bias", &config.attentionBias},
                              Switch{"mlp_bias", &config.mlpBias}}) {
    const auto value = flagOr(json, field.name, false, file);
    if (!value) return value.error();
    *field.target = *value;
  }
  config.outputBias = config.attentionBias;
  const auto epsilon = realNumberOr(json, "rms_norm_eps", 1e-6, file);
  if (!epsilon) return epsilon.error();
  if (!(*epsilon > 0.0 && *epsilon < 1.0)) {
    return Error{ErrorCode::CorruptFile,
                 file + ": 'rms_norm_eps' is " + shortText(json.value("rms_norm_eps", Json())) +
                     "; a number between 0 and 1 is wanted"};
  }
  config.normEpsilon = *epsilon;
  const auto activation = json.find("hidden_act");
  const bool named = activation != json.end() && !activation->is_null();
  if (named && !(activation->is_string() && activation->get<std::string>() == "silu")) {
    return Error{ErrorCode::Unsupported,
                 file + ": 'hidden_act' is " + shortText(*activation) + "; only \"silu\" is known"};
  }
  return Done{};
}

Result<ModelConfig> readLlama(const Json& json, const std::string& file) {
  ModelConfig config;
  config.family = "llama";
  if (Status read = readShapes(json, file, config); !read) return read.error();
  if (Status read = readSwitches(json, file, config); !read) return read.error();
  return config;
}

}  // namespace

ModelFamily make_llama() { return {"llama", {"llama"}, {"LlamaForCausalLM"}, &readLlama}; }

}  // namespace ropescope
