#include "core/model/weights_torch.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include <set>

#include "core/base/file_io.h"
#include "core/base/json_text.h"
#include "core/base/sha256.h"
#include "core/model/guard_torch.h"
#include "core/model/stored_tensor_torch.h"

namespace ropescope {
namespace {

using Json = nlohmann::json;

struct Shards {
  std::vector<SafetensorsFile> files;
  std::map<std::string, std::pair<const SafetensorsFile*, const StoredTensor*>> tensors;
};

Result<std::vector<std::filesystem::path>> shardPaths(const std::filesystem::path& folder) {
  const auto single = folder / "model.safetensors";
  const auto index = folder / "model.safetensors.index.json";
  std::error_code ignored;
  if (std::filesystem::exists(single, ignored)) return std::vector{single};
  if (!std::filesystem::exists(index, ignored)) {
    return Error{ErrorCode::NotFound,
                 folder.string() + ": neither model.safetensors nor model.safetensors.index.json "
                                   "is there; a Hugging Face model folder is wanted"};
  }
  const auto text = readFile(index);
  if (!text) return text.error();
  const auto parsed = parseJsonObject(*text, index.string());
  if (!parsed) return parsed.error();
  const Json& json = *parsed;
  if (!json.contains("weight_map") || !json["weight_map"].is_object()) {
    return Error{ErrorCode::CorruptFile, index.string() + ": no 'weight_map' in it"};
  }
  std::set<std::filesystem::path> paths;
  for (const auto& [tensor, file] : json["weight_map"].items()) {
    const auto name = file.is_string() ? file.get<std::string>() : std::string();
    if (name.empty() || name.find('/') != std::string::npos) {
      return Error{ErrorCode::CorruptFile,
                   index.string() + ": '" + tensor + "' stands in " + shortText(file) +
                       ", which is no file name in this folder"};
    }
    if (!std::filesystem::exists(folder / name, ignored)) {
      return Error{ErrorCode::NotFound, (folder / name).string() +
                                            " is missing; the index names it for '" + tensor +
                                            "'. Download the shard"};
    }
    paths.insert(folder / name);
  }
  return std::vector<std::filesystem::path>(paths.begin(), paths.end());
}

Result<Shards> openShards(const std::filesystem::path& folder) {
  const auto paths = shardPaths(folder);
  if (!paths) return paths.error();
  Shards shards;
  for (const auto& path : *paths) {
    auto file = SafetensorsFile::open(path);
    if (!file) return file.error();
    shards.files.push_back(*std::move(file));
  }
  for (const SafetensorsFile& file : shards.files) {
    for (const auto& [name, tensor] : file.tensors()) {
      if (!shards.tensors.emplace(name, std::pair{&file, &tensor}).second) {
        return Error{ErrorCode::CorruptFile,
                     file.path().string() + ": '" + name + "' stands in two shards"};
      }
    }
  }
  return shards;
}

// Hands out tensors by name and remembers which were asked for.
class Shelf {
 public:
  Shelf(const Shards& shards, const Placement& placement, std::string folder)
      : m_shards(shards), m_placement(placement), m_folder(std::move(folder)) {}

  bool has(const std::string& name) const { return m_shards.tensors.contains(name); }

  Status take(const std::string& name, const std::vector<std::int64_t>& shape, at::Tensor& target) {
    const auto found = m_shards.tensors.find(name);
    if (found == m_shards.tensors.end()) {
      return Error{ErrorCode::CorruptFile, m_folder + ": tensor '" + name +
                                               "' is missing; the config asks for it with shape " +
                                               shapeText(shape) + "; download the model again"};
    }
    const auto& [file, stored] = found->second;
    if (stored->shape != shape) {
      return Error{ErrorCode::CorruptFile, file->path().string() + ": '" + name + "' is " +
                                               shapeText(stored->shape) +
                                               ", the config asks for " + shapeText(shape) +
                                               "; config and weights are of different models, "
                                               "download both again"};
    }
    auto tensor = toTensor(*file, name, *stored, m_placement);
    if (!tensor) return tensor.error();
    target = *std::move(tensor);
    m_taken.insert(name);
    m_bytes += target.numel() * static_cast<std::int64_t>(target.element_size());
    return Done{};
  }

  Status takeLinear(const std::string& name, std::int64_t out, std::int64_t in, bool bias,
                    Linear& target) {
    if (Status taken = take(name + ".weight", {out, in}, target.weight); !taken) return taken;
    if (!bias) return Done{};
    return take(name + ".bias", {out}, target.bias);
  }

  std::vector<std::string> untaken() const {
    std::vector<std::string> names;
    for (const auto& [name, place] : m_shards.tensors) {
      if (!m_taken.contains(name)) names.push_back(name);
    }
    return names;
  }
  std::int64_t bytes() const { return m_bytes; }

 private:
  const Shards& m_shards;
  Placement m_placement;
  std::string m_folder;
  std::set<std::string> m_taken;
  std::int64_t m_bytes = 0;
};

Status takeLayer(Shelf& shelf, const ModelConfig& c, int layer, LayerWeights& target) {
  const std::string name = "model.layers." + std::to_string(layer) + ".";
  const std::string attention = name + "self_attn.";
  const std::int64_t e = c.hiddenSize;
  const std::int64_t qRows = std::int64_t{c.heads} * c.headDim;
  const std::int64_t kvRows = std::int64_t{c.kvHeads} * c.headDim;
  const std::int64_t f = c.intermediateSize;
  struct Wanted {
    std::string name;
    std::int64_t out;
    std::int64_t in;
    bool bias;
    Linear* target;
  };
  const std::vector<Wanted> linears{
      {attention + "q_proj", qRows, e, c.attentionBias, &target.query},
      {attention + "k_proj", kvRows, e, c.attentionBias, &target.key},
      {attention + "v_proj", kvRows, e, c.attentionBias, &target.value},
      {attention + "o_proj", e, qRows, c.outputBias, &target.output},
      {name + "mlp.gate_proj", f, e, c.mlpBias, &target.gate},
      {name + "mlp.up_proj", f, e, c.mlpBias, &target.up},
      {name + "mlp.down_proj", e, f, c.mlpBias, &target.down}};
  for (const Wanted& w : linears) {
    if (Status taken = shelf.takeLinear(w.name, w.out, w.in, w.bias, *w.target); !taken) {
      return taken;
    }
  }
  if (Status taken = shelf.take(name + "input_layernorm.weight", {e}, target.inputNorm); !taken) {
    return taken;
  }
  return shelf.take(name + "post_attention_layernorm.weight", {e}, target.postAttentionNorm);
}

Result<Weights> takeAll(Shelf& shelf, ModelConfig& config, const JobControl& job) {
  Weights weights;
  const std::int64_t v = config.vocabularySize;
  const std::int64_t e = config.hiddenSize;
  if (Status taken = shelf.take("model.embed_tokens.weight", {v, e}, weights.embedding); !taken) {
    return taken.error();
  }
  for (int layer = 0; layer < config.layers; ++layer) {
    if (job.stopRequested()) return Error{ErrorCode::Cancelled, "loading the model was stopped"};
    Status taken = takeLayer(shelf, config, layer, weights.layers.emplace_back());
    if (!taken) return taken.error();
    job.report({"load", layer + 1, config.layers});
  }
  if (Status taken = shelf.take("model.norm.weight", {e}, weights.finalNorm); !taken) {
    return taken.error();
  }
  weights.head = weights.embedding;
  if (!config.tiedHead) {
    if (Status taken = shelf.take("lm_head.weight", {v, e}, weights.head); !taken) {
      return taken.error();
    }
  }
  for (const std::string& name : shelf.untaken()) {
    const bool known = name.find("rotary_emb.inv_freq") != std::string::npos ||
                       (config.tiedHead && name == "lm_head.weight");
    if (!known) config.warnings.push_back("tensor '" + name + "' is not used by this model family");
  }
  weights.bytes = shelf.bytes();
  return weights;
}

Result<std::string> hashOf(const std::filesystem::path& folder, const Shards& shards) {
  const auto config = readFile(folder / "config.json");
  if (!config) return config.error();
  Sha256 hash;
  hash.add(*config);
  for (const SafetensorsFile& file : shards.files) hash.add(file.header());
  return hash.hex();
}

}  // namespace

Result<Weights> loadWeights(const std::filesystem::path& folder, ModelConfig& config,
                            const Placement& placement, const JobControl& job) {
  return guardTorch("loading the weights", [&]() -> Result<Weights> {
    const auto shards = openShards(folder);
    if (!shards) return shards.error();
    auto hash = hashOf(folder, *shards);
    if (!hash) return hash.error();
    Shelf shelf(*shards, placement, folder.string());
    auto weights = takeAll(shelf, config, job);
    if (weights) weights->hash = *std::move(hash);
    return weights;
  });
}

}  // namespace ropescope
