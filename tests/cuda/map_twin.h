// The attention map kernel's own source, run on the CPU block by block, and its slow reference.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/cuda/map_tile.h"

namespace ropescope::cuda {

// A step that races gives another result when its threads run in the other order.
enum class ThreadOrder { Forward, Backward };

// All threads of a block, one after the other: what the GPU does between two barriers.
class HostBlock {
 public:
  explicit HostBlock(ThreadOrder order) : m_order(order), m_registers(kMapThreads) {}

  template <class Step>
  void each(Step step) {
    for (int i = 0; i < kMapThreads; ++i) {
      const int thread = m_order == ThreadOrder::Forward ? i : kMapThreads - 1 - i;
      step(thread, m_registers[static_cast<std::size_t>(thread)]);
    }
  }

 private:
  ThreadOrder m_order;
  std::vector<MapRegisters> m_registers;
};

template <class Scalar>
void drawOnHost(const AttentionMapArgs& args, ThreadOrder order = ThreadOrder::Forward) {
  const int groups = groupCount(args.keyEnd - args.keyBegin, args.width);
  for (int row = args.rowBegin; row < args.rowEnd; ++row) {
    for (int group = 0; group < groups; ++group) {
      // What memory holds before a block starts is nobody's business.
      MapShared shared;
      std::fill_n(reinterpret_cast<unsigned char*>(&shared), sizeof shared, 0xFF);
      HostBlock block(order);
      const MapBlock part = mapBlock(args, row, group);
      if (args.reducer == MapReducer::Max) {
        drawMapBlock<Scalar, MaxOfWeights>(args, part, shared, block);
      } else {
        drawMapBlock<Scalar, MeanOfWeights>(args, part, shared, block);
      }
    }
  }
}

// Queries and keys of one head with the log-sum-exps of every causal row.
struct Head {
  int headDim = 0;
  std::vector<float> q;    // [n, D]
  std::vector<float> k;    // [n, D]
  std::vector<float> lse;  // [n]
};

// Numbers in [-1, 1) from a fixed sequence.
inline std::vector<float> counted(std::size_t count, std::uint32_t seed) {
  std::vector<float> values(count);
  std::uint32_t state = seed;
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8) / 8388608.0F - 1.0F;
  }
  return values;
}

inline double score(const Head& head, std::int64_t query, std::int64_t key) {
  double sum = 0.0;
  for (int d = 0; d < head.headDim; ++d) {
    sum += static_cast<double>(head.q[static_cast<std::size_t>(query * head.headDim + d)]) *
           static_cast<double>(head.k[static_cast<std::size_t>(key * head.headDim + d)]);
  }
  return sum / std::sqrt(static_cast<double>(head.headDim));
}

inline Head makeHead(std::int64_t tokens, int headDim) {
  const auto count = static_cast<std::size_t>(tokens * headDim);
  Head head{headDim, counted(count, 1), counted(count, 2), {}};
  for (float& value : head.q) value *= 4.0F;  // far from uniform weights
  for (std::int64_t query = 0; query < tokens; ++query) {
    double sum = 0.0;
    for (std::int64_t key = 0; key <= query; ++key) sum += std::exp(score(head, query, key));
    head.lse.push_back(static_cast<float>(std::log(sum)));
  }
  return head;
}

// Dense, in double, cell by cell.
inline std::vector<float> denseMap(const Head& head, const AttentionMapArgs& args) {
  std::vector<float> cells;
  for (int row = 0; row < args.height; ++row) {
    for (int column = 0; column < args.width; ++column) {
      double largest = 0.0;
      double sum = 0.0;
      std::int64_t pairs = 0;
      for (auto i = cellBorder(args.queryBegin, args.queryEnd, args.height, row);
           i < cellBorder(args.queryBegin, args.queryEnd, args.height, row + 1); ++i) {
        for (auto j = cellBorder(args.keyBegin, args.keyEnd, args.width, column);
             j < cellBorder(args.keyBegin, args.keyEnd, args.width, column + 1) && j <= i; ++j) {
          const double lse = static_cast<double>(head.lse[static_cast<std::size_t>(i)]);
          const double weight = std::exp(score(head, i, j) - lse);
          largest = std::max(largest, weight);
          sum += weight;
          ++pairs;
        }
      }
      const double value =
          args.reducer == MapReducer::Max ? largest : sum / static_cast<double>(pairs);
      cells.push_back(pairs == 0 ? std::numeric_limits<float>::quiet_NaN()
                                 : static_cast<float>(value));
    }
  }
  return cells;
}

}  // namespace ropescope::cuda
