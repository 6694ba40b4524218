#include "core/model/calibration_torch.h"

#include <charconv>
#include <cmath>
#include <set>

#include <ATen/ATen.h>

#include "core/model/guard_torch.h"
#include "core/model/stored_tensor_torch.h"

namespace ropescope {
namespace {

constexpr double kPaperAlpha = 16.0;  // of the paper's code

class Reader {
 public:
  Reader(const SafetensorsFile& file, const Placement& placement, CalibrationInfo& info)
      : m_file(file),
        m_placement(placement),
        m_info(info) {}

  // Leaves `target` undefined and lists the name when the file lacks it. A negative size in `shape`
  // fits anything (the rank).
  Status take(const std::string& name, const std::vector<std::int64_t>& shape, at::Tensor& target) {
    const auto found = m_file.tensors().find(name);
    if (found == m_file.tensors().end()) {
      m_info.missing.push_back(name);
      return Done{};
    }
    m_taken.insert(name);
    const auto& stored = found->second;
    bool fits = stored.shape.size() == shape.size();
    for (std::size_t i = 0; fits && i < shape.size(); ++i) {
      fits = shape[i] < 0 || stored.shape[i] == shape[i];
    }
    if (!fits) {
      std::string wanted = shapeText(shape);
      if (const auto at = wanted.find("-1"); at != std::string::npos) wanted.replace(at, 2, "rank");
      return Error{ErrorCode::CorruptFile, m_file.path().string() + ": '" + name + "' is " +
                                               shapeText(stored.shape) +
                                               ", the model config asks for " + wanted};
    }
    auto tensor = toTensor(m_file, name, stored, m_placement);
    if (!tensor) return tensor.error();
    target = *std::move(tensor);
    m_info.parameters += target.numel();
    return Done{};
  }

  Status takePhase(const std::string& name, std::int64_t heads, std::int64_t headDim,
                   rope::PhaseModule& target) {
    const std::vector<std::int64_t> shape{heads, headDim, headDim};
    if (Status up = take(name + ".up_phase", shape, target.up); !up) return up;
    if (Status down = take(name + ".down_phase", shape, target.down); !down) return down;
    m_info.hasPhase = m_info.hasPhase || target.defined();
    return Done{};
  }

  Status takePair(const std::string& name, std::int64_t out, std::int64_t in, LoraPair& target) {
    if (Status a = take(name + ".A_lora", {-1, in}, target.a); !a) return a;
    if (Status b = take(name + ".B_lora", {out, -1}, target.b); !b) return b;
    if (!target.defined()) return Done{};
    const auto rank = static_cast<int>(target.a.size(0));
    if (target.b.size(1) != rank || (m_info.loraRank != 0 && m_info.loraRank != rank)) {
      return Error{ErrorCode::CorruptFile,
                   m_file.path().string() + ": '" + name + "' has LoRA ranks " +
                       std::to_string(rank) + " and " + std::to_string(target.b.size(1)) +
                       (m_info.loraRank != 0 ? ", earlier pairs " + std::to_string(m_info.loraRank)
                                             : std::string()) +
                       "; one rank is wanted"};
    }
    m_info.loraRank = rank;
    m_info.hasLora = true;
    return Done{};
  }

  void listSurplus() {
    for (const auto& [name, tensor] : m_file.tensors()) {
      if (!m_taken.contains(name)) m_info.surplus.push_back(name);
    }
  }

 private:
  const SafetensorsFile& m_file;
  Placement m_placement;
  CalibrationInfo& m_info;
  std::set<std::string> m_taken;
};

Status readLayer(Reader& reader, const ModelConfig& c, int layer, LayerCalibration& target) {
  const std::string name = "model.layers." + std::to_string(layer) + ".self_attn.";
  const std::int64_t q = std::int64_t{c.heads} * c.headDim;
  const std::int64_t kv = std::int64_t{c.kvHeads} * c.headDim;
  const std::int64_t e = c.hiddenSize;
  for (const Status& read :
       {reader.takePhase(name + "q_phase", c.heads, c.headDim, target.queryPhase),
        reader.takePhase(name + "k_phase", c.kvHeads, c.headDim, target.keyPhase),
        reader.takePair(name + "q_lora", q, e, target.query),
        reader.takePair(name + "k_lora", kv, e, target.key),
        reader.takePair(name + "v_lora", kv, e, target.value),
        reader.takePair(name + "o_lora", e, q, target.output)}) {
    if (!read) return read;
  }
  return Done{};
}

Status readAlpha(const SafetensorsFile& file, CalibrationInfo& info) {
  info.metadata = file.metadata();
  info.loraAlpha = kPaperAlpha;
  info.origin = originFrom(info.metadata);
  bool alphaGiven = false;
  for (const char* key : {"lora_alpha", "alpha"}) {
    const auto found = info.metadata.find(key);
    if (found == info.metadata.end()) continue;
    alphaGiven = true;
    const std::string& text = found->second;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), info.loraAlpha);
    if (error != std::errc() || end != text.data() + text.size() || !(info.loraAlpha > 0) ||
        !std::isfinite(info.loraAlpha)) {
      return Error{ErrorCode::CorruptFile, info.path.string() + ": metadata '" + key + "' is '" +
                                               text + "'; a positive number is wanted"};
    }
  }
  if (!info.origin) {
    info.warnings.push_back(info.path.string() +
                            ": origin unknown (no metadata about model and method); shapes fit" +
                            (alphaGiven ? "" : ", LoRA alpha is taken as 16"));
  }
  return Done{};
}

Status checkBase(CalibrationInfo& info, const BaseModel& base, OriginCheck check) {
  if (!info.origin) return Done{};
  Status fits = checkModel(*info.origin, info.path.string(), base.hash, base.name);
  if (check == OriginCheck::Enforce) return fits;
  info.originIgnored = true;
  if (!fits) info.warnings.push_back("by force: " + fits.error().message);
  return Done{};
}

}  // namespace

Calibration::Calibration(CalibrationInfo info, std::unique_ptr<const Tensors> tensors)
    : m_info(std::move(info)),
      m_tensors(std::move(tensors)) {}
Calibration::~Calibration() = default;

Result<std::shared_ptr<const Calibration>> readCalibration(const std::filesystem::path& path,
                                                           const ModelConfig& config,
                                                           const Placement& placement,
                                                           const BaseModel& base,
                                                           OriginCheck check) {
  using Shared = std::shared_ptr<const Calibration>;
  return guardTorch("loading the calibration", [&]() -> Result<Shared> {
    const auto file = SafetensorsFile::open(path);
    if (!file) return file.error();
    CalibrationInfo info;
    info.path = path;
    if (Status read = readAlpha(*file, info); !read) return read.error();
    if (Status fits = checkBase(info, base, check); !fits) return fits.error();
    auto tensors = std::make_unique<Calibration::Tensors>();
    tensors->layers.resize(static_cast<std::size_t>(config.layers));
    Reader reader(*file, placement, info);
    for (int layer = 0; layer < config.layers; ++layer) {
      Status read =
          readLayer(reader, config, layer, tensors->layers[static_cast<std::size_t>(layer)]);
      if (!read) return read.error();
    }
    reader.listSurplus();
    if (!info.hasPhase && !info.hasLora) {
      return Error{ErrorCode::CorruptFile,
                   path.string() +
                       ": holds neither PSC phase modules nor LoRA pairs for this "
                       "model's layers (names like "
                       "model.layers.0.self_attn.q_phase.up_phase are wanted)"};
    }
    if (info.loraRank > 0) tensors->loraScale = info.loraAlpha / info.loraRank;
    return Shared(std::make_shared<Calibration>(std::move(info), std::move(tensors)));
  });
}

}  // namespace ropescope
