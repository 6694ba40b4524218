#include "core/calibration/trainable_torch.h"

#include <cmath>
#include <span>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/calibration/random.h"
#include "core/model/guard_torch.h"
#include "core/model/stored_tensor_torch.h"

namespace ropescope::calibration {
namespace {

// U(-bound, bound), drawn in double.
at::Tensor uniform(const std::vector<std::int64_t>& shape, double bound, std::uint64_t seed) {
  at::Tensor tensor = at::empty(shape, at::kDouble);
  SplitMix random(seed);
  double* values = tensor.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = bound * (2.0 * random.uniform() - 1.0);
  }
  return tensor;
}

std::string attentionName(int layer) {
  return "model.layers." + std::to_string(layer) + ".self_attn.";
}

// Masters keep the full precision of a reference run.
at::ScalarType masterType(const Placement& placement) {
  return placement.dtype == at::kDouble ? at::kDouble : at::kFloat;
}

StoredType storedType(at::ScalarType type) {
  return type == at::kDouble     ? StoredType::F64
         : type == at::kBFloat16 ? StoredType::BF16
                                 : StoredType::F32;
}

// Collects names and starting values; placed and converted at the end.
class Starts {
 public:
  explicit Starts(std::uint64_t seed) : m_seed(seed) {}

  void addPhase(const std::string& name, std::int64_t heads, std::int64_t headDim) {
    const std::vector<std::int64_t> shape{heads, headDim, headDim};
    m_tensors[name + ".up_phase"] = at::zeros(shape, at::kDouble);
    const std::string down = name + ".down_phase";
    m_tensors[down] = uniform(shape, 1.0 / static_cast<double>(headDim), seedFor(m_seed, down));
  }
  void addPair(const std::string& name, std::int64_t out, std::int64_t in, std::int64_t rank) {
    const std::string a = name + ".A_lora";
    m_tensors[a] =
        uniform({rank, in}, 1.0 / std::sqrt(static_cast<double>(in)), seedFor(m_seed, a));
    m_tensors[name + ".B_lora"] = at::zeros({out, rank}, at::kDouble);
  }
  const std::map<std::string, at::Tensor>& tensors() const { return m_tensors; }

 private:
  std::uint64_t m_seed;
  std::map<std::string, at::Tensor> m_tensors;
};

}  // namespace

Trainable Trainable::fresh(const ModelConfig& config, const TrainableShape& shape,
                           const Placement& placement, std::uint64_t seed) {
  const at::NoGradGuard noGrad;
  const std::int64_t q = std::int64_t{config.heads} * config.headDim;
  const std::int64_t kv = std::int64_t{config.kvHeads} * config.headDim;
  const std::int64_t e = config.hiddenSize;
  Starts starts(seed);
  for (int layer = 0; layer < config.layers; ++layer) {
    const std::string name = attentionName(layer);
    if (shape.phase) {
      starts.addPhase(name + "q_phase", config.heads, config.headDim);
      starts.addPhase(name + "k_phase", config.kvHeads, config.headDim);
    }
    if (shape.loraRank == 0) continue;
    starts.addPair(name + "q_lora", q, e, shape.loraRank);
    starts.addPair(name + "k_lora", kv, e, shape.loraRank);
    starts.addPair(name + "v_lora", kv, e, shape.loraRank);
    starts.addPair(name + "o_lora", e, q, shape.loraRank);
  }
  Trainable trainable;
  trainable.m_placement = placement;
  if (shape.loraRank > 0) trainable.m_loraScale = shape.loraAlpha / shape.loraRank;
  trainable.m_layers = config.layers;
  for (const auto& [name, start] : starts.tensors()) {
    trainable.m_masters[name] = start.to(placement.device, masterType(placement));
  }
  return trainable;
}

std::int64_t Trainable::parameters() const {
  std::int64_t count = 0;
  for (const auto& [name, master] : m_masters) count += master.numel();
  return count;
}

Result<std::map<std::string, std::string>> Trainable::takeFrom(const std::filesystem::path& path) {
  const auto file = SafetensorsFile::open(path);
  if (!file) return file.error();
  for (const auto& [name, stored] : file->tensors()) {
    if (!m_masters.contains(name)) {
      return Error{ErrorCode::InvalidArgument, path.string() + " holds '" + name +
                                                   "', which this training does not; start from a "
                                                   "file of the same kind (PSC, LoRA rank)"};
    }
  }
  for (auto& [name, master] : m_masters) {
    const auto found = file->tensors().find(name);
    if (found == file->tensors().end() || found->second.shape != master.sizes().vec()) {
      return Error{
          ErrorCode::InvalidArgument,
          path.string() + ": '" + name + "' is " +
              (found == file->tensors().end() ? "missing" : shapeText(found->second.shape)) +
              ", this training has " + shapeText(master.sizes().vec()) +
              "; start from a file of the same kind (PSC, LoRA rank)"};
    }
    auto tensor = toTensor(*file, name, found->second,
                           {.device = m_placement.device, .dtype = master.scalar_type()});
    if (!tensor) return tensor.error();
    master = tensor->clone();
  }
  return file->metadata();
}

const Calibration::Tensors& Trainable::refresh() {
  const at::NoGradGuard noGrad;
  m_working.clear();
  for (const auto& [name, master] : m_masters) {
    m_working[name] =
        master.to(m_placement.dtype, /*non_blocking=*/false, /*copy=*/true).requires_grad_(true);
  }
  const auto get = [&](const std::string& name) {
    const auto found = m_working.find(name);
    return found == m_working.end() ? at::Tensor() : found->second;
  };
  m_tensors.loraScale = m_loraScale;
  m_tensors.layers.clear();
  for (int layer = 0; layer < m_layers; ++layer) {
    const std::string name = attentionName(layer);
    const auto phase = [&](const char* side) {
      return rope::PhaseModule{.up = get(name + side + ".up_phase"),
                               .down = get(name + side + ".down_phase")};
    };
    const auto pair = [&](const char* side) {
      return LoraPair{.a = get(name + side + ".A_lora"), .b = get(name + side + ".B_lora")};
    };
    m_tensors.layers.push_back({.queryPhase = phase("q_phase"),
                                .keyPhase = phase("k_phase"),
                                .query = pair("q_lora"),
                                .key = pair("k_lora"),
                                .value = pair("v_lora"),
                                .output = pair("o_lora")});
  }
  return m_tensors;
}

void Trainable::collectGradients(std::map<std::string, at::Tensor>& sums, double scale) const {
  const at::NoGradGuard noGrad;
  for (const auto& [name, working] : m_working) {
    at::Tensor& gradient = working.mutable_grad();
    if (!gradient.defined()) continue;
    const at::ScalarType type = m_masters.at(name).scalar_type();
    at::Tensor& sum = sums[name];
    if (!sum.defined()) sum = at::zeros(gradient.sizes(), gradient.options().dtype(type));
    sum.add_(gradient.to(type), scale);
    gradient.reset();
  }
}

Status Trainable::save(const std::filesystem::path& path, const CalibrationOrigin& origin) const {
  return writeTensors(path, m_masters, at::kBFloat16, originMetadata(origin));
}

Status writeTensors(const std::filesystem::path& path,
                    const std::map<std::string, at::Tensor>& tensors, at::ScalarType type,
                    const std::map<std::string, std::string>& metadata) {
  std::map<std::string, at::Tensor> held;  // what the views below look at
  std::map<std::string, StoredTensor> views;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor& stored = held[name] = tensor.detach().to(at::kCPU, type).contiguous();
    views[name] = {storedType(type), stored.sizes().vec(),
                   std::span(static_cast<const std::byte*>(stored.const_data_ptr()),
                             static_cast<std::size_t>(stored.nbytes()))};
  }
  return writeSafetensors(path, views, metadata);
}

}  // namespace ropescope::calibration
