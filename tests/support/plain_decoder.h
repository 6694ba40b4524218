// A Llama forward pass in plain C++ and double: the oracle of attention maps. Slow, no torch,
// shares nothing with the engine but the reader of safetensors files.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/model/model_config.h"
#include "core/rope/rope_method.h"
#include "tests/support/test_models.h"

namespace ropescope::test {

using Matrix = std::vector<double>;  // row by row

// Rotated q and k of one layer, for all positions, and both as they were before.
struct LayerQueriesKeys {
  Matrix q;  // [n, H D]
  Matrix k;  // [n, G D]
  Matrix unrotatedQ = {};
  Matrix unrotatedK = {};
};

// A calibration file's tensors: LoRA pairs and phase modules, no names missing.
struct PlainCalibration {
  OwnedTensors tensors;
  double loraScale = 2.0;  // alpha / rank
  double strength = 1.0;   // of the phase modules
};

class PlainDecoder {
 public:
  PlainDecoder(const std::filesystem::path& model, ModelConfig config, rope::RotaryPlan plan,
               std::optional<PlainCalibration> calibration = std::nullopt)
      : m_config(std::move(config)),
        m_plan(std::move(plan)),
        m_tensors(readTensors(model / "model.safetensors")),
        m_calibration(std::move(calibration)) {
    if (m_calibration) m_tensors.merge(m_calibration->tensors);
  }

  std::vector<LayerQueriesKeys> run(const Ids& ids) const {
    const auto e = static_cast<std::size_t>(m_config.hiddenSize);
    const Matrix embedding = tensor("model.embed_tokens.weight");
    Matrix hidden;
    for (const std::int32_t id : ids) {
      const auto row = embedding.begin() + static_cast<std::ptrdiff_t>(id) * m_config.hiddenSize;
      hidden.insert(hidden.end(), row, row + static_cast<std::ptrdiff_t>(e));
    }
    std::vector<LayerQueriesKeys> layers;
    for (int layer = 0; layer < m_config.layers; ++layer) {
      const std::string name = "model.layers." + std::to_string(layer) + ".";
      const Matrix x = normalised(hidden, tensor(name + "input_layernorm.weight"));
      const std::string block = name + "self_attn.";
      const Matrix q = shifted(projected(x, block + "q"), block + "q_phase", m_config.heads);
      const Matrix k = shifted(projected(x, block + "k"), block + "k_phase", m_config.kvHeads);
      LayerQueriesKeys qk{rotated(q, m_config.heads), rotated(k, m_config.kvHeads), q, k};
      add(hidden, projected(attended(qk, projected(x, block + "v")), block + "o"));
      const Matrix y = normalised(hidden, tensor(name + "post_attention_layernorm.weight"));
      Matrix gate = times(y, name + "mlp.gate_proj");
      const Matrix up = times(y, name + "mlp.up_proj");
      for (std::size_t i = 0; i < gate.size(); ++i) {
        gate[i] = gate[i] / (1.0 + std::exp(-gate[i])) * up[i];
      }
      add(hidden, times(gate, name + "mlp.down_proj"));
      layers.push_back(std::move(qk));
    }
    return layers;
  }

  // q . k / sqrt(D) of one head against keys 0 … query.
  std::vector<double> scores(const LayerQueriesKeys& qk, int head, std::int64_t query) const {
    const auto d = static_cast<std::size_t>(m_config.headDim);
    const auto group = static_cast<std::size_t>(head / (m_config.heads / m_config.kvHeads));
    const auto row = static_cast<std::size_t>(query);
    const double* q =
        &qk.q[(row * static_cast<std::size_t>(m_config.heads) + static_cast<std::size_t>(head)) *
              d];
    std::vector<double> scores(row + 1);
    for (std::size_t key = 0; key <= row; ++key) {
      const double* k = &qk.k[(key * static_cast<std::size_t>(m_config.kvHeads) + group) * d];
      double dot = 0.0;
      for (std::size_t i = 0; i < d; ++i) dot += q[i] * k[i];
      scores[key] = dot / std::sqrt(static_cast<double>(d));
    }
    return scores;
  }

  // softmax over keys 0 … query of one head.
  std::vector<double> weights(const LayerQueriesKeys& qk, int head, std::int64_t query) const {
    std::vector<double> scores = this->scores(qk, head, query);
    const double top = *std::max_element(scores.begin(), scores.end());
    double sum = 0.0;
    for (double& score : scores) sum += score = std::exp(score - top);
    for (double& score : scores) score /= sum;
    return scores;
  }

  // q or k [n, heads D] rotated by the plan, at positions 0 … n - 1.
  Matrix rotated(Matrix x, int heads) const {
    const auto d = static_cast<std::size_t>(m_config.headDim);
    const std::size_t width = static_cast<std::size_t>(heads) * d;
    for (std::size_t position = 0; position < x.size() / width; ++position) {
      const bool plain = static_cast<std::int64_t>(position) < m_plan.unscaledTokens;
      for (std::size_t pair = 0; pair < d / 2; ++pair) {
        const double frequency =
            plain ? std::pow(m_config.ropeBase, -2.0 * static_cast<double>(pair) /
                                                    static_cast<double>(m_config.headDim))
                  : m_plan.invFreq[pair];
        const double factor = plain ? 1.0 : m_plan.attentionFactor;
        const double angle = static_cast<double>(position) * frequency;
        const double c = std::cos(angle) * factor;
        const double s = std::sin(angle) * factor;
        for (std::size_t head = 0; head < static_cast<std::size_t>(heads); ++head) {
          double& left = x[position * width + head * d + pair];
          double& right = x[position * width + head * d + pair + d / 2];
          const double turned = left * c - right * s;
          right = right * c + left * s;
          left = turned;
        }
      }
    }
    return x;
  }

 private:
  Matrix tensor(const std::string& name) const {
    const OwnedTensor& stored = m_tensors.at(name);
    std::vector<float> values(stored.bytes.size() / sizeof(float));
    EXPECT_EQ(storedTypeName(stored.type), std::string("F32"));
    std::memcpy(values.data(), stored.bytes.data(), stored.bytes.size());
    return {values.begin(), values.end()};
  }

  // x [n, in] times the transposed weight [out, in].
  Matrix times(const Matrix& x, const std::string& linear,
               const std::string& ending = ".weight") const {
    const Matrix w = tensor(linear + ending);
    const auto in = static_cast<std::size_t>(m_tensors.at(linear + ending).shape[1]);
    const std::size_t out = w.size() / in;
    Matrix y(x.size() / in * out);
    for (std::size_t row = 0; row < x.size() / in; ++row) {
      for (std::size_t column = 0; column < out; ++column) {
        double sum = 0.0;
        for (std::size_t i = 0; i < in; ++i) sum += x[row * in + i] * w[column * in + i];
        y[row * out + column] = sum;
      }
    }
    return y;
  }

  Matrix normalised(const Matrix& x, const Matrix& weight) const {
    Matrix y(x.size());
    const std::size_t e = weight.size();
    for (std::size_t row = 0; row < x.size() / e; ++row) {
      double squares = 0.0;
      for (std::size_t i = 0; i < e; ++i) squares += x[row * e + i] * x[row * e + i];
      const double scale = 1.0 / std::sqrt(squares / static_cast<double>(e) + m_config.normEpsilon);
      for (std::size_t i = 0; i < e; ++i) y[row * e + i] = x[row * e + i] * scale * weight[i];
    }
    return y;
  }

  // The projection block + "_proj" with its LoRA pair.  arXiv:2106.09685, section 4.1.
  Matrix projected(const Matrix& x, const std::string& block) const {
    Matrix y = times(x, block + "_proj");
    if (!m_calibration) return y;
    const Matrix low = times(times(x, block + "_lora.A_lora", ""), block + "_lora.B_lora", "");
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += m_calibration->loraScale * low[i];
    return y;
  }

  // x (1 + P tanh(SiLU(x U) W) / 2), head by head.  arXiv:2505.12423, section 3.
  Matrix shifted(const Matrix& x, const std::string& phase, int heads) const {
    if (!m_calibration) return x;
    const auto d = static_cast<std::size_t>(m_config.headDim);
    const Matrix up = tensor(phase + ".up_phase");
    const Matrix down = tensor(phase + ".down_phase");
    Matrix out(x.size());
    for (std::size_t row = 0; row < x.size() / d; ++row) {
      const double* weights = &up[row % static_cast<std::size_t>(heads) * d * d];
      std::vector<double> hidden(d, 0.0);
      for (std::size_t i = 0; i < d * d; ++i) hidden[i % d] += x[row * d + i / d] * weights[i];
      for (double& h : hidden) h /= 1.0 + std::exp(-h);
      weights = &down[row % static_cast<std::size_t>(heads) * d * d];
      std::vector<double> y(d, 0.0);
      for (std::size_t i = 0; i < d * d; ++i) y[i % d] += hidden[i / d] * weights[i];
      for (std::size_t i = 0; i < d; ++i) {
        out[row * d + i] = x[row * d + i] * (1.0 + m_calibration->strength * std::tanh(y[i]) / 2.0);
      }
    }
    return out;
  }

  Matrix attended(const LayerQueriesKeys& qk, const Matrix& v) const {
    const auto d = static_cast<std::size_t>(m_config.headDim);
    const auto heads = static_cast<std::size_t>(m_config.heads);
    const auto groups = static_cast<std::size_t>(m_config.kvHeads);
    const std::size_t n = qk.q.size() / (heads * d);
    Matrix output(qk.q.size(), 0.0);
    for (std::size_t head = 0; head < heads; ++head) {
      const std::size_t group = head / (heads / groups);
      for (std::size_t query = 0; query < n; ++query) {
        const auto shares = weights(qk, static_cast<int>(head), static_cast<std::int64_t>(query));
        for (std::size_t key = 0; key <= query; ++key) {
          for (std::size_t i = 0; i < d; ++i) {
            output[(query * heads + head) * d + i] +=
                shares[key] * v[(key * groups + group) * d + i];
          }
        }
      }
    }
    return output;
  }

  static void add(Matrix& x, const Matrix& y) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }

  ModelConfig m_config;
  rope::RotaryPlan m_plan;
  OwnedTensors m_tensors;
  std::optional<PlainCalibration> m_calibration;
};

}  // namespace ropescope::test
