// Attention and its gradients in double precision, straight from the softmax formula, and beside
// every value the sum of the sizes that it is made of: what roundings are measured against.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cpu/attention_bf16.h"

namespace ropescope::cpu::reference {

// [heads][tokens][D], contiguous.
struct Inputs {
  std::vector<Bfloat16> q, k, v, gradOutput;
};

struct Values {
  std::vector<double> value;
  std::vector<double> size;  // the same sum over absolute values

  explicit Values(std::size_t count) : value(count), size(count) {}
  void add(std::size_t at, double term, double termSize) {
    value[at] += term;
    size[at] += termSize;
  }
};

struct Attention {
  Values output;
  std::vector<double> logSumExp;
  Values gradQ, gradK, gradV;
};

Bfloat16 toBfloat16(double value);  // to nearest, ties to even
double fromBfloat16(Bfloat16 bits);

// Standard normal values times `spread`.
Inputs randomInputs(const AttentionSizes& sizes, double spread = 1.0);

Attention attend(const AttentionSizes& sizes, const Inputs& in);

}  // namespace ropescope::cpu::reference
