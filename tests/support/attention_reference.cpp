#include "tests/support/attention_reference.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

namespace ropescope::cpu::reference {
namespace {

std::size_t at(std::int64_t row, int headDim) {
  return static_cast<std::size_t>(row * headDim);
}

double dot(const Bfloat16* a, const Bfloat16* b, int headDim) {
  double sum = 0.0;
  for (int d = 0; d < headDim; ++d) sum += fromBfloat16(a[d]) * fromBfloat16(b[d]);
  return sum;
}

// Adds what one query contributes. Rows count over all heads.
class Query {
 public:
  Query(const AttentionSizes& sizes, const Inputs& in, Attention& out, std::int64_t head,
        std::int64_t token)
      : m_sizes(sizes),
        m_in(in),
        m_out(out),
        m_row(head * sizes.tokens + token),
        m_firstKey(head / (sizes.heads / sizes.kvHeads) * sizes.keys),
        m_weights(static_cast<std::size_t>(
            sizes.mask == Mask::Causal ? sizes.keys - sizes.tokens + token + 1 : sizes.keys)) {}

  void weigh() {
    for (std::size_t j = 0; j < m_weights.size(); ++j) {
      m_weights[j] = m_sizes.scale * dot(&m_in.q[own()], &m_in.k[key(j)], m_sizes.headDim);
    }
    const double largest = *std::max_element(m_weights.begin(), m_weights.end());
    double sum = 0.0;
    for (const double score : m_weights) sum += std::exp(score - largest);
    const double logSumExp = largest + std::log(sum);
    m_out.logSumExp[static_cast<std::size_t>(m_row)] = logSumExp;
    for (double& weight : m_weights) weight = std::exp(weight - logSumExp);
  }

  void attend() {
    for (std::size_t j = 0; j < m_weights.size(); ++j) {
      for (std::size_t d = 0; d < dimensions(); ++d) {
        const double term = m_weights[j] * fromBfloat16(m_in.v[key(j) + d]);
        m_out.output.add(own() + d, term, std::abs(term));
      }
    }
  }

  void differentiate() {
    double delta = 0.0;
    double deltaSize = 0.0;
    for (std::size_t d = 0; d < dimensions(); ++d) {
      const double term = fromBfloat16(m_in.gradOutput[own() + d]) * m_out.output.value[own() + d];
      delta += term;
      deltaSize += std::abs(term);
    }
    for (std::size_t j = 0; j < m_weights.size(); ++j) {
      const double product = dot(&m_in.gradOutput[own()], &m_in.v[key(j)], m_sizes.headDim);
      const double score = m_sizes.scale * m_weights[j] * (product - delta);
      const double scoreSize = m_sizes.scale * m_weights[j] * (std::abs(product) + deltaSize);
      for (std::size_t d = 0; d < dimensions(); ++d) {
        const double k = fromBfloat16(m_in.k[key(j) + d]);
        const double q = fromBfloat16(m_in.q[own() + d]);
        const double gradient = m_weights[j] * fromBfloat16(m_in.gradOutput[own() + d]);
        m_out.gradQ.add(own() + d, score * k, scoreSize * std::abs(k));
        m_out.gradK.add(key(j) + d, score * q, scoreSize * std::abs(q));
        m_out.gradV.add(key(j) + d, gradient, std::abs(gradient));
      }
    }
  }

 private:
  std::size_t own() const { return at(m_row, m_sizes.headDim); }
  std::size_t key(std::size_t j) const {
    return at(m_firstKey + static_cast<std::int64_t>(j), m_sizes.headDim);
  }
  std::size_t dimensions() const { return static_cast<std::size_t>(m_sizes.headDim); }

  const AttentionSizes& m_sizes;
  const Inputs& m_in;
  Attention& m_out;
  std::int64_t m_row;
  std::int64_t m_firstKey;
  std::vector<double> m_weights;
};

}  // namespace

Bfloat16 toBfloat16(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  return static_cast<Bfloat16>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

double fromBfloat16(Bfloat16 bits) {
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16));
}

Inputs randomInputs(const AttentionSizes& sizes, double spread) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal(0.0, spread);
  const auto draw = [&](std::int64_t rows) {
    std::vector<Bfloat16> values(at(rows, sizes.headDim));
    for (Bfloat16& value : values) value = toBfloat16(normal(random));
    return values;
  };
  Inputs in;
  in.q = draw(sizes.heads * sizes.tokens);
  in.k = draw(sizes.kvHeads * sizes.keys);
  in.v = draw(sizes.kvHeads * sizes.keys);
  in.gradOutput = draw(sizes.heads * sizes.tokens);
  return in;
}

Attention attend(const AttentionSizes& sizes, const Inputs& in) {
  Attention out{Values(in.q.size()),
                std::vector<double>(static_cast<std::size_t>(sizes.heads * sizes.tokens)),
                Values(in.q.size()), Values(in.k.size()), Values(in.k.size())};
  for (std::int64_t head = 0; head < sizes.heads; ++head) {
    for (std::int64_t token = 0; token < sizes.tokens; ++token) {
      Query query(sizes, in, out, head, token);
      query.weigh();
      query.attend();
      query.differentiate();
    }
  }
  return out;
}

}  // namespace ropescope::cpu::reference
