// The bfloat16 kernels against attention in double precision on the same bfloat16 inputs.
#include "core/cpu/attention_bf16.h"

#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/attention_reference.h"

namespace ropescope::cpu {
namespace {

using reference::fromBfloat16;
using reference::Inputs;
using testing::HasSubstr;

// bfloat16 keeps 8 bits: rounding to nearest errs by at most 2^-8 of the value (just above a power
// of two; half as much just below).
constexpr double kRounding = 1.0 / 256.0;
// The weights and the result are rounded, nothing else between bfloat16 and bfloat16.
constexpr double kTwoRoundings = 2.0 * kRounding;
// The output in rowsum(dO ∘ O), dS and the result.
constexpr double kThreeRoundings = 3.0 * kRounding;
// float32 sums of some hundred products, and weights with a relative error of 2.2e-7: small beside
// 2^-9 = 2e-3. As a share of the sum of sizes.
constexpr double kFloat32Sums = 1e-5;
// Roundings do not all point the same way: two, each with a root mean square of at most
// kRounding / √3, over a whole tensor.
constexpr double kTypicalRoundings = 0.82 * kRounding;
// The log-sum-exp is never bfloat16: float32 scores and weights, a few times 2^-24.
constexpr double kLogSumExp = 1e-6;

const ParallelFor kOneThread = [](std::int64_t count, const RangeWork& work) { work(0, count); };

struct Results {
  std::vector<Bfloat16> output;
  std::vector<float> logSumExp;
  std::vector<Bfloat16> gradQ, gradK, gradV;

  bool operator==(const Results&) const = default;
};

Results runContiguous(const AttentionSizes& sizes, const Inputs& in,
                      const ParallelFor& parallelFor = kOneThread) {
  Results out{std::vector<Bfloat16>(in.q.size()),
              std::vector<float>(static_cast<std::size_t>(sizes.heads * sizes.tokens)),
              std::vector<Bfloat16>(in.q.size()), std::vector<Bfloat16>(in.k.size()),
              std::vector<Bfloat16>(in.k.size())};
  const std::int64_t queries = sizes.tokens * sizes.headDim;
  const std::int64_t keys = sizes.keys * sizes.headDim;
  const auto read = [&](const std::vector<Bfloat16>& values, std::int64_t stride) {
    return Heads{values.data(), stride, sizes.headDim};
  };
  const auto write = [&](std::vector<Bfloat16>& values, std::int64_t stride) {
    return MutableHeads{values.data(), stride, sizes.headDim};
  };
  const Status forward = attendBf16(sizes,
                                    {.q = read(in.q, queries),
                                     .k = read(in.k, keys),
                                     .v = read(in.v, keys),
                                     .output = write(out.output, queries),
                                     .logSumExp = out.logSumExp.data()},
                                    parallelFor);
  EXPECT_TRUE(forward) << forward.error().message;
  if (sizes.mask == Mask::None) return out;
  const Status backward = attendBf16Backward(sizes,
                                             {.gradOutput = read(in.gradOutput, queries),
                                              .q = read(in.q, queries),
                                              .k = read(in.k, keys),
                                              .v = read(in.v, keys),
                                              .output = read(out.output, queries),
                                              .logSumExp = out.logSumExp.data(),
                                              .gradQ = write(out.gradQ, queries),
                                              .gradK = write(out.gradK, keys),
                                              .gradV = write(out.gradV, keys)},
                                             parallelFor);
  EXPECT_TRUE(backward) << backward.error().message;
  return out;
}

void expectRounded(const std::vector<Bfloat16>& found, const reference::Values& wanted,
                   double roundings, const std::string& what) {
  ASSERT_EQ(found.size(), wanted.value.size());
  double error = 0.0;
  double size = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double distance = std::abs(fromBfloat16(found[i]) - wanted.value[i]);
    // Negated: a NaN must not pass.
    if (!(distance <= (roundings + kFloat32Sums) * wanted.size[i])) {
      FAIL() << what << "[" << i << "] is " << fromBfloat16(found[i]) << ", the formula gives "
             << wanted.value[i] << " from terms that add up to " << wanted.size[i];
    }
    error += distance * distance;
    size += wanted.size[i] * wanted.size[i];
  }
  EXPECT_LE(std::sqrt(error), kTypicalRoundings * std::sqrt(size)) << what;
}

void expectLogSumExp(const std::vector<float>& found, const std::vector<double>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(found[i]), wanted[i],
                kLogSumExp * std::max(1.0, std::abs(wanted[i])))
        << "logSumExp[" << i << "]";
  }
}

void expectFormula(const AttentionSizes& sizes, const Inputs& in) {
  const Results found = runContiguous(sizes, in);
  const reference::Attention wanted = reference::attend(sizes, in);
  expectRounded(found.output, wanted.output, kTwoRoundings, "output");
  expectLogSumExp(found.logSumExp, wanted.logSumExp);
  if (sizes.mask == Mask::None) return;
  expectRounded(found.gradQ, wanted.gradQ, kThreeRoundings, "gradQ");
  expectRounded(found.gradK, wanted.gradK, kThreeRoundings, "gradK");
  expectRounded(found.gradV, wanted.gradV, kTwoRoundings, "gradV");
}

AttentionSizes causalSizes(std::int64_t heads, std::int64_t kvHeads, std::int64_t tokens,
                           int headDim) {
  return {.heads = heads,
          .kvHeads = kvHeads,
          .tokens = tokens,
          .keys = tokens,
          .headDim = headDim,
          .scale = 1.0 / std::sqrt(static_cast<double>(headDim))};
}

class AttentionBf16 : public testing::TestWithParam<Products> {
 protected:
  void SetUp() override {
    if (!attentionBf16Supported()) {
      GTEST_SKIP() << "this CPU or this build has no AVX512-BF16: the kernels cannot run here";
    }
    if (GetParam() == Products::Fastest && !attentionTilesSupported()) {
      GTEST_SKIP() << "this CPU or this build has no AMX-BF16: the fastest products are in vectors";
    }
  }

  static AttentionSizes squareCausal(std::int64_t heads, std::int64_t kvHeads, std::int64_t tokens,
                                     int headDim) {
    AttentionSizes sizes = causalSizes(heads, kvHeads, tokens, headDim);
    sizes.products = GetParam();
    return sizes;
  }
};

INSTANTIATE_TEST_SUITE_P(In, AttentionBf16, testing::Values(Products::Vectors, Products::Fastest),
                         [](const testing::TestParamInfo<Products>& info) {
                           return info.param == Products::Vectors ? "Vectors" : "Tiles";
                         });

// One token, ends before, at and after the edges of the blocks of 64 queries and 96 keys.
TEST_P(AttentionBf16, EqualsTheFormulaAtEveryBlockEdge) {
  for (const std::int64_t tokens : {1, 2, 3, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 193, 300}) {
    SCOPED_TRACE(std::to_string(tokens) + " tokens");
    const AttentionSizes sizes = squareCausal(2, 1, tokens, 64);
    expectFormula(sizes, reference::randomInputs(sizes));
  }
}

TEST_P(AttentionBf16, EqualsTheFormulaForEveryHeadSize) {
  for (int headDim = 16; headDim <= 256; headDim += 16) {
    SCOPED_TRACE("head size " + std::to_string(headDim));
    const AttentionSizes sizes = squareCausal(2, 2, 131, headDim);
    expectFormula(sizes, reference::randomInputs(sizes));
  }
}

// 2,000 keys of one key head are cut into parts in the backward pass; 9 key heads are more than it
// takes at once.
TEST_P(AttentionBf16, SumsGradientsOverTheHeadsOfAGroup) {
  for (const auto& [heads, kvHeads, tokens] :
       {std::tuple{6, 2, 500}, std::tuple{3, 1, 2000}, std::tuple{18, 9, 100}}) {
    SCOPED_TRACE(std::to_string(heads) + " heads over " + std::to_string(kvHeads));
    const AttentionSizes sizes = squareCausal(heads, kvHeads, tokens, 32);
    expectFormula(sizes, reference::randomInputs(sizes));
  }
}

TEST_P(AttentionBf16, SeesPastKeys) {
  for (const auto& [tokens, keys] :
       {std::pair{1, 77}, std::pair{5, 97}, std::pair{64, 96}, std::pair{130, 531}}) {
    SCOPED_TRACE(std::to_string(tokens) + " of " + std::to_string(keys));
    AttentionSizes sizes = squareCausal(4, 2, tokens, 64);
    sizes.keys = keys;
    expectFormula(sizes, reference::randomInputs(sizes));
  }
}

TEST_P(AttentionBf16, SeesAllKeysWithoutAMask) {
  for (const auto& [tokens, keys] :
       {std::pair{1, 1}, std::pair{3, 95}, std::pair{65, 97}, std::pair{300, 10}}) {
    SCOPED_TRACE(std::to_string(tokens) + " to " + std::to_string(keys));
    AttentionSizes sizes = squareCausal(2, 1, tokens, 128);
    sizes.keys = keys;
    sizes.mask = Mask::None;
    expectFormula(sizes, reference::randomInputs(sizes));
  }
}

// Scores up to about ±60: exp overflows float32 unless the maximum is taken off first.
TEST_P(AttentionBf16, StaysExactWhenScoresAreLarge) {
  const AttentionSizes sizes = squareCausal(1, 1, 200, 64);
  expectFormula(sizes, reference::randomInputs(sizes, 4.0));
}

// Every query has the same score with every key: weights 1 / (t + 1), sums ln(t + 1).
TEST_P(AttentionBf16, MeansValuesWhenKeysAreEqual) {
  const AttentionSizes sizes = squareCausal(1, 1, 150, 32);
  Inputs in = reference::randomInputs(sizes);
  std::fill(in.k.begin(), in.k.end(), Bfloat16{0});
  const Results found = runContiguous(sizes, in);
  std::vector<double> logs;
  for (int seen = 1; seen <= 150; ++seen) logs.push_back(std::log(static_cast<double>(seen)));
  expectLogSumExp(found.logSumExp, logs);
  EXPECT_EQ(found.output[0], in.v[0]);
}

TEST_P(AttentionBf16, DependsNotOnTheNumberOfThreads) {
  const ParallelFor backwardsOneByOne = [](std::int64_t count, const RangeWork& work) {
    for (std::int64_t i = count; i-- > 0;) work(i, i + 1);
  };
  const ParallelFor threeThreads = [](std::int64_t count, const RangeWork& work) {
    std::vector<std::jthread> threads;
    for (std::int64_t i = 0; i < 3; ++i) {
      threads.emplace_back([=, &work] { work(count * i / 3, count * (i + 1) / 3); });
    }
  };
  for (const std::int64_t tokens : {70, 1000}) {
    const AttentionSizes sizes = squareCausal(4, 2, tokens, 64);
    const Inputs in = reference::randomInputs(sizes);
    const Results once = runContiguous(sizes, in);
    EXPECT_TRUE(once == runContiguous(sizes, in, backwardsOneByOne));
    EXPECT_TRUE(once == runContiguous(sizes, in, threeThreads));
  }
}

// [tokens][heads][D + gap]: what a projection gives. The gaps hold NaN and must stay as they are.
class Interleaved {
 public:
  Interleaved(std::int64_t heads, std::int64_t tokens, int headDim)
      : m_heads(heads),
        m_headDim(headDim),
        m_values(static_cast<std::size_t>(heads * tokens * (headDim + kGap)), kNan) {}

  void fill(const std::vector<Bfloat16>& contiguous) {
    for (std::size_t i = 0; i < contiguous.size(); ++i) m_values[place(i)] = contiguous[i];
  }
  std::vector<Bfloat16> contiguous() const {
    std::vector<Bfloat16> values(m_values.size() / width() * static_cast<std::size_t>(m_headDim));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = m_values[place(i)];
    return values;
  }
  bool gapsAreUntouched() const {
    for (std::size_t i = 0; i < m_values.size(); ++i) {
      if (i % width() >= static_cast<std::size_t>(m_headDim) && m_values[i] != kNan) return false;
    }
    return true;
  }
  Heads heads() const { return {m_values.data(), m_headDim + kGap, rowStride()}; }
  MutableHeads heads() { return {m_values.data(), m_headDim + kGap, rowStride()}; }

 private:
  static constexpr int kGap = 3;  // odd: rows are not aligned
  static constexpr Bfloat16 kNan = 0x7FC1;

  std::size_t width() const { return static_cast<std::size_t>(m_headDim + kGap); }
  std::int64_t rowStride() const { return m_heads * (m_headDim + kGap); }
  std::size_t place(std::size_t i) const {
    const auto dimensions = static_cast<std::size_t>(m_headDim);
    const auto heads = static_cast<std::size_t>(m_heads);
    const std::size_t tokens = m_values.size() / (heads * width());
    const std::size_t row = i / dimensions;
    return (row % tokens * heads + row / tokens) * width() + i % dimensions;
  }

  std::int64_t m_heads;
  int m_headDim;
  std::vector<Bfloat16> m_values;
};

TEST_P(AttentionBf16, ReadsAndWritesStridedViews) {
  const AttentionSizes sizes = squareCausal(4, 2, 133, 48);
  const Inputs in = reference::randomInputs(sizes);
  const auto view = [&](std::int64_t heads, const std::vector<Bfloat16>& values) {
    Interleaved made(heads, sizes.tokens, sizes.headDim);
    made.fill(values);
    return made;
  };
  const Interleaved q = view(4, in.q);
  const Interleaved k = view(2, in.k);
  const Interleaved v = view(2, in.v);
  const Interleaved gradOutput = view(4, in.gradOutput);
  Interleaved output = view(4, {});
  Interleaved gradQ = view(4, {});
  Interleaved gradK = view(2, {});
  Interleaved gradV = view(2, {});
  std::vector<float> lse(4 * 133);
  ASSERT_TRUE(attendBf16(sizes,
                         {.q = q.heads(),
                          .k = k.heads(),
                          .v = v.heads(),
                          .output = output.heads(),
                          .logSumExp = lse.data()},
                         kOneThread));
  ASSERT_TRUE(attendBf16Backward(sizes,
                                 {.gradOutput = gradOutput.heads(),
                                  .q = q.heads(),
                                  .k = k.heads(),
                                  .v = v.heads(),
                                  .output = std::as_const(output).heads(),
                                  .logSumExp = lse.data(),
                                  .gradQ = gradQ.heads(),
                                  .gradK = gradK.heads(),
                                  .gradV = gradV.heads()},
                                 kOneThread));
  EXPECT_TRUE(runContiguous(sizes, in) == (Results{output.contiguous(), lse, gradQ.contiguous(),
                                                   gradK.contiguous(), gradV.contiguous()}));
  for (const Interleaved* written : {&output, &gradQ, &gradK, &gradV}) {
    EXPECT_TRUE(written->gapsAreUntouched());
  }
}

TEST_P(AttentionBf16, ShowsANanInTheQueryThatHasIt) {
  const AttentionSizes sizes = squareCausal(1, 1, 100, 32);
  Inputs in = reference::randomInputs(sizes);
  in.q[70 * 32 + 3] = reference::toBfloat16(std::numeric_limits<double>::quiet_NaN());
  const Results found = runContiguous(sizes, in);
  for (std::size_t t = 0; t < 100; ++t) {
    EXPECT_EQ(std::isnan(found.logSumExp[t]), t == 70) << t;
    EXPECT_EQ(std::isnan(fromBfloat16(found.output[32 * t])), t == 70) << t;
  }
}

std::string refusal(const AttentionSizes& sizes) {
  const Status checked = checkAttentionSizes(sizes);
  return checked ? "" : checked.error().message;
}

TEST(AttentionBf16Sizes, AreRefusedByName) {
  const AttentionSizes good = causalSizes(6, 2, 10, 64);
  EXPECT_EQ(refusal(good), "");
  const auto with = [&](auto change) {
    AttentionSizes sizes = good;
    change(sizes);
    return refusal(sizes);
  };
  EXPECT_THAT(with([](auto& s) { s.kvHeads = 4; }),
              HasSubstr("6 query heads cannot share 4 key heads"));
  EXPECT_THAT(with([](auto& s) { s.kvHeads = 0; }), HasSubstr("0 key heads"));
  EXPECT_THAT(with([](auto& s) { s.headDim = 72; }), HasSubstr("head size is 72"));
  EXPECT_THAT(with([](auto& s) { s.headDim = 272; }), HasSubstr("from 16 to 256"));
  EXPECT_THAT(with([](auto& s) { s.tokens = 0; }), HasSubstr("0 queries"));
  EXPECT_THAT(with([](auto& s) { s.keys = 9; }), HasSubstr("there are 9"));
  EXPECT_THAT(with([](auto& s) { s.scale = 0.0; }), HasSubstr("above 0"));
  EXPECT_THAT(with([](auto& s) { s.scale = std::nan(""); }), HasSubstr("above 0"));
}

TEST(AttentionBf16Sizes, OfTheBackwardPassAreCausal) {
  AttentionSizes sizes = causalSizes(1, 1, 4, 16);
  sizes.mask = Mask::None;
  const Status refused = attendBf16Backward(sizes, {}, kOneThread);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("causal mask alone"));
}

}  // namespace
}  // namespace ropescope::cpu
