// A Llama forward pass in plain C++ and double: the oracle of attention maps. Slow, no torch,
// shares nothing with the engine but the reader of safetensors files.
#pragma once

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/model/model_config.h"
#include "core/rope/rope_method.h"
#include "tests/support/test_models.h"

namespace ropescope::test {

using Matrix = std::vector<double>;  // row by row

// Rotated q and k of one layer, for all positions.
struct LayerQueriesKeys {
  Matrix q;  // [n, H D]
  Matrix k;  // [n, G D]
};

class PlainDecoder {
 public:
  PlainDecoder(const std::filesystem::path& model, ModelConfig config, rope::RotaryPlan plan)
      : m_config(std::move(config)),
        m_plan(std::move(plan)),
        m_tensors(readTensors(model / "model.safetensors")) {}

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
      LayerQueriesKeys qk{rotated(times(x, name + "self_attn.q_proj"), m_config.heads),
                          rotated(times(x, name + "self_attn.k_proj"), m_config.kvHeads)};
      add(hidden,
          times(attended(qk, times(x, name + "self_attn.v_proj")), name + "self_attn.o_proj"));
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

  // softmax over keys 0 … query of one head.
  std::vector<double> weights(const LayerQueriesKeys& qk, int head, std::int64_t query) const {
    const auto d = static_cast<std::size_t>(m_config.headDim);
    const auto group = static_cast<std::size_t>(head / (m_config.heads / m_config.kvHeads));
    const auto row = static_cast<std::size_t>(query);
    const double* q =
        &qk.q[(row * static_cast<std::size_t>(m_config.heads) + static_cast<std::size_t>(head)) *
              d];
    std::vector<double> scores(row + 1);
    double top = -INFINITY;
    for (std::size_t key = 0; key <= row; ++key) {
      const double* k = &qk.k[(key * static_cast<std::size_t>(m_config.kvHeads) + group) * d];
      double dot = 0.0;
      for (std::size_t i = 0; i < d; ++i) dot += q[i] * k[i];
      scores[key] = dot / std::sqrt(static_cast<double>(d));
      top = std::max(top, scores[key]);
    }
    double sum = 0.0;
    for (double& score : scores) sum += score = std::exp(score - top);
    for (double& score : scores) score /= sum;
    return scores;
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
  Matrix times(const Matrix& x, const std::string& linear) const {
    const Matrix w = tensor(linear + ".weight");
    const auto in = static_cast<std::size_t>(m_tensors.at(linear + ".weight").shape[1]);
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

  Matrix rotated(Matrix x, int heads) const {
    const auto d = static_cast<std::size_t>(m_config.headDim);
    const std::size_t width = static_cast<std::size_t>(heads) * d;
    for (std::size_t position = 0; position < x.size() / width; ++position) {
      for (std::size_t pair = 0; pair < d / 2; ++pair) {
        const double angle = static_cast<double>(position) * m_plan.invFreq[pair];
        const double c = std::cos(angle) * m_plan.attentionFactor;
        const double s = std::sin(angle) * m_plan.attentionFactor;
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
};

}  // namespace ropescope::test
