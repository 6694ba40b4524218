// Settings of methods: wrong names, kinds and values, factor files.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "core/rope/factor_file.h"
#include "core/rope/rope_method.h"
#include "tests/support/test_models.h"

namespace ropescope::rope {
namespace {

using namespace ropescope::test;

constexpr RopeContext kContext{
    .base = 1e4, .headDim = 16, .originalLength = 64, .plannedLength = 256};

Result<RotaryPlan> plan(const std::string& method, const ParameterValues& values = {},
                        std::optional<double> factor = std::nullopt,
                        const RopeContext& context = kContext) {
  return makePlan({.id = method, .values = values, .factor = factor}, context);
}

const std::vector<double> kEight{1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7};

// Positive, finite and still nothing to rotate with: 1 / 1e-320 overflows.
TEST(MethodSettings, APlanThatIsNoNumberIsRefused) {
  std::vector<double> tiny(8, 1e-320);
  expectError(plan("longrope", {{"long_factor", tiny}}, 4.0), ErrorCode::InvalidArgument,
              {"longrope", "inverse frequency of pair 0", "no finite number"});
}

TEST(MethodSettings, WrongNamesKindsAndValuesAreNamed) {
  const auto refused = [](const Result<RotaryPlan>& made, const std::vector<std::string>& parts) {
    expectError(made, ErrorCode::InvalidArgument, parts);
  };
  refused(plan("spiral"), {"'spiral'", "yarn"});
  refused(plan("yarn", {{"beta", 3.0}}), {"yarn", "no parameter 'beta'", "beta_fast"});
  refused(plan("none", {{"beta", 3.0}}), {"none", "it has none"});
  refused(plan("yarn", {{"beta_fast", true}}), {"'beta_fast'", "true"});
  refused(plan("yarn", {{"beta_fast", -1.0}}), {"'beta_fast'", "-1", "between"});
  refused(plan("yarn", {{"beta_fast", std::nan("")}}), {"'beta_fast'", "between"});
  refused(plan("yarn", {{"ramp", std::string("sine")}}), {"'ramp'", "sine", "code paper"});
  refused(plan("yarn", {{"beta_fast", 1.0}, {"beta_slow", 2.0}}), {"beta_fast is 1", "larger"});
}

TEST(MethodSettings, FactorsBelowOneAreRefused) {
  for (const char* method : {"pi", "ntk", "dynamic", "yarn", "llama3"}) {
    for (const double factor : {0.99, 0.0, -4.0, HUGE_VAL, std::nan("")}) {
      expectError(plan(method, {}, factor), ErrorCode::InvalidArgument,
                  {"the factor is", "1 or larger"});
    }
    EXPECT_TRUE(plan(method, {}, 1.0)) << method;
  }
}

TEST(MethodSettings, ContextsThatCannotBeRotatedAreRefused) {
  const auto refused = [](auto change, const std::vector<std::string>& parts) {
    RopeContext context = kContext;
    change(context);
    expectError(plan("none", {}, {}, context), ErrorCode::InvalidArgument, parts);
  };
  refused([](RopeContext& c) { c.headDim = 15; }, {"15", "even"});
  refused([](RopeContext& c) { c.headDim = 2; }, {"2", "at least 4"});
  refused([](RopeContext& c) { c.base = 1.0; }, {"rope_theta is 1"});
  refused([](RopeContext& c) { c.base = HUGE_VAL; }, {"rope_theta is inf"});
  refused([](RopeContext& c) { c.originalLength = 0; }, {"trained length 0"});
  refused([](RopeContext& c) { c.plannedLength = 0; }, {"planned length 0"});
}

TEST(MethodSettings, TextBecomesAValueOfItsKind) {
  const auto method = findMethod("yarn");
  const auto parse = [&](const std::string& name, const std::string& text) {
    for (const auto& spec : method->parameters()) {
      if (spec.name == name) return parseValue(spec, text);
    }
    return Result<ParameterValue>(Error{});
  };
  EXPECT_EQ(std::get<double>(*parse("beta_fast", "16.5")), 16.5);
  EXPECT_EQ(std::get<bool>(*parse("truncate", "false")), false);
  for (const auto& [name, text] : {std::pair{"beta_fast", ""},
                                   {"beta_fast", "1e"},
                                   {"beta_fast", "inf"},
                                   {"beta_fast", "nan"},
                                   {"truncate", "1"},
                                   {"ramp", "Code"}}) {
    expectError(parse(name, text), ErrorCode::InvalidArgument, {name, text});
  }
  for (const ParameterValue& value :
       {ParameterValue(true), ParameterValue(0.1), ParameterValue(1e300),
        ParameterValue(std::string("code")), ParameterValue(std::vector<double>{1, 1.5, 0.1})}) {
    EXPECT_FALSE(valueText(value).empty());
  }
  EXPECT_EQ(valueText(0.1), "0.1");
  EXPECT_EQ(std::stod(valueText(1.0 / 3.0)), 1.0 / 3.0);
}

// --- longrope -----------------------------------------------------------------------------------

TEST(LongRopeSettings, WithoutFactorsItSaysHowToGiveThem) {
  expectError(plan("longrope"), ErrorCode::Unsupported, {"factor for every", "factors=FILE"});
}

TEST(LongRopeSettings, ListsOfAWrongLengthOrValueAreRefused) {
  std::vector<double> seven = kEight;
  seven.pop_back();
  expectError(plan("longrope", {{"long_factor", seven}}), ErrorCode::InvalidArgument,
              {"long_factor has 7", "8 rotary pairs"});
  RopeContext within = kContext;
  within.plannedLength = 64;
  expectError(plan("longrope", {{"short_factor", seven}}, {}, within), ErrorCode::InvalidArgument,
              {"short_factor has 7"});
  for (const double bad : {0.0, -1.0, HUGE_VAL, std::nan("")}) {
    std::vector<double> list = kEight;
    list[3] = bad;
    expectError(plan("longrope", {{"long_factor", list}}), ErrorCode::InvalidArgument,
                {"long_factor[3]", "positive"});
  }
  expectError(plan("longrope", {{"short_factor", kEight}}), ErrorCode::Unsupported,
              {"only short factors", "256", "64", "long_factor"});
}

class FactorFile : public testing::Test {
 protected:
  Result<RescaleFactors> read(const std::string& name, const std::string& text) {
    writeText(temp / name, text);
    return readFactorFile(temp / name);
  }
  TempDir temp;
};

TEST_F(FactorFile, JsonAndCsvAreRead) {
  const std::string list = "[1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]";
  const auto bare = read("a.json", R"({"long_factor": )" + list + R"(, "short_factor": null})");
  ASSERT_TRUE(bare) << bare.error().message;
  EXPECT_EQ(bare->longFactor, kEight);
  EXPECT_TRUE(bare->shortFactor.empty());
  for (const char* wrapper : {"rope_parameters", "rope_scaling"}) {
    const auto wrapped =
        read("b.json", std::string("{\"") + wrapper + R"(": {"short_factor": )" + list + "}}");
    ASSERT_TRUE(wrapped) << wrapped.error().message;
    EXPECT_EQ(wrapped->shortFactor, kEight);
  }
  for (const char* csv :
       {"1.0\n1.1\n1.2\n1.3\n1.4\n1.5\n1.6\n1.7\n", "1.0,1.1,1.2,1.3,1.4,1.5,1.6,1.7",
        "1 1.1 1.2 1.3 1.4 1.5 1.6 1.7\r\n1;1.1;1.2;1.3;1.4;1.5;1.6;1.7\r\n"}) {
    const auto columns = read("c.csv", csv);
    ASSERT_TRUE(columns) << columns.error().message;
    EXPECT_EQ(columns->longFactor, kEight);
  }
  const auto made = plan("longrope", {{"factors", (temp / "c.csv").string()}});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_DOUBLE_EQ(made->invFreq[7] * 1.7, std::pow(1e4, -14.0 / 16.0));
}

// The published form: a row for each of 32 layers, all equal, 64 columns. The values at pairs 0,
// 16, 32, 48 and 63 are those of ft_mis_128k in microsoft/LongRoPE (branch cube_longrope), the
// others are made up; like that set, the list does not grow everywhere.
TEST_F(FactorFile, PublishedRowsOfAllLayersAreReadThoughTheyFallSomewhere) {
  std::vector<double> factors(64, 2.0);
  factors[0] = 1.03;
  factors[16] = 1.49;
  factors[32] = 10.0;
  factors[48] = 31.53;
  factors[63] = 32.99;
  ASSERT_FALSE(std::is_sorted(factors.begin(), factors.end()));
  std::string row;
  for (const double factor : factors) row += (row.empty() ? "" : ",") + valueText(factor);
  std::string text;
  for (int layer = 0; layer < 32; ++layer) text += row + "\n";
  const auto loaded = read("layers.csv", text);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->longFactor, factors);
  RopeContext mistral{.base = 1e4, .headDim = 128, .originalLength = 8192};
  mistral.plannedLength = 131072;
  const auto made = plan("longrope", {{"factors", (temp / "layers.csv").string()}}, 16.0, mistral);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_DOUBLE_EQ(made->invFreq[48] * 31.53, std::pow(1e4, -96.0 / 128.0));
}

TEST_F(FactorFile, WhatIsWrittenIsReadBackExactly) {
  const std::vector<double> longList = {1.0, 1.01, 1.1457, 2.0 / 3.0 + 1.0, 2.5, 3.99, 4.0, 5.0};
  const auto column = read("a.csv", factorColumn(longList));
  ASSERT_TRUE(column) << column.error().message;
  EXPECT_EQ(column->longFactor, longList);
  EXPECT_FALSE(column->unscaledTokens);
  RopeContext context = kContext;
  context.factor = 4.0;
  const auto both = read("b.json", factorBlock({kEight, longList, 12}, context));
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->shortFactor, kEight);
  EXPECT_EQ(both->longFactor, longList);
  EXPECT_EQ(both->unscaledTokens, 12);
  const auto alone = read("c.json", factorBlock({{}, longList, {}}, context));
  ASSERT_TRUE(alone) << alone.error().message;
  EXPECT_EQ(alone->shortFactor, std::vector<double>(8, 1.0));
  EXPECT_FALSE(alone->unscaledTokens);
  const auto shortOnly = read("d.json", factorBlock({kEight, {}, {}}, context));
  ASSERT_TRUE(shortOnly) << shortOnly.error().message;
  EXPECT_TRUE(shortOnly->longFactor.empty());
}

TEST_F(FactorFile, UnscaledTokensOfAFileHoldUnlessTheyAreGiven) {
  const std::string text =
      R"({"long_factor": [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7], "n_hat": 12})";
  ASSERT_TRUE(read("n.json", text));
  const std::string path = (temp / "n.json").string();
  const auto held = plan("longrope", {{"factors", path}});
  ASSERT_TRUE(held) << held.error().message;
  EXPECT_EQ(held->unscaledTokens, 12);
  const auto given = plan("longrope", {{"factors", path}, {"n_hat", 0.0}});
  ASSERT_TRUE(given) << given.error().message;
  EXPECT_EQ(given->unscaledTokens, 0);
  for (const char* wrong : {"-1", "1.5", "1e9", "\"8\""}) {
    expectError(read("n.json", std::string(R"({"long_factor": [1], "n_hat": )") + wrong + "}"),
                ErrorCode::CorruptFile, {"n.json", "'n_hat'", "whole number"});
  }
}

TEST_F(FactorFile, AttentionFactorOfAFileHoldsUnlessItIsGiven) {
  ASSERT_TRUE(read("t.json", factorBlock({kEight, kEight, {}, 1.25}, kContext)));
  const std::string path = (temp / "t.json").string();
  const auto held = plan("longrope", {{"factors", path}});
  ASSERT_TRUE(held) << held.error().message;
  EXPECT_EQ(held->attentionFactor, 1.25);
  const auto given = plan("longrope", {{"factors", path}, {"attention_factor", 1.5}});
  ASSERT_TRUE(given) << given.error().message;
  EXPECT_EQ(given->attentionFactor, 1.5);
  for (const char* wrong : {"0", "-1", "\"1\""}) {
    expectError(
        read("t.json", std::string(R"({"long_factor": [1], "attention_factor": )") + wrong + "}"),
        ErrorCode::CorruptFile, {"t.json", "'attention_factor'", "positive"});
  }
}

TEST_F(FactorFile, FactorsOfAPlanMakeThePlanAgain) {
  constexpr double kTwoDivisions = 1e-15;  // relative: plain / (plain / f) rounds twice
  for (const char* method : {"none", "pi", "ntk", "yarn"}) {
    const auto made = plan(method, {}, 4.0);
    ASSERT_TRUE(made) << made.error().message;
    const std::vector<double> factors = factorsOf(*made);
    const auto again =
        makePlan(choiceOf({factors, factors, 0, made->attentionFactor}, 4.0), made->context);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->attentionFactor, made->attentionFactor) << method;
    for (std::size_t pair = 0; pair < factors.size(); ++pair) {
      EXPECT_NEAR(again->invFreq[pair] / made->invFreq[pair], 1.0, kTwoDivisions) << method;
    }
  }
}

TEST_F(FactorFile, WrongFilesAreNamed) {
  const auto corrupt = [&](const std::string& name, const std::string& text,
                           std::vector<std::string> parts) {
    SCOPED_TRACE(text);
    parts.push_back(name);
    expectError(read(name, text), ErrorCode::CorruptFile, parts);
  };
  corrupt("a.json", "{", {"not a JSON object"});
  corrupt("a.json", "[1, 2]", {"not a JSON object", "long_factor"});
  corrupt("a.json", "{}", {"neither 'long_factor' nor"});
  corrupt("a.json", R"({"long_factor": 3})", {"'long_factor'", "list of numbers"});
  corrupt("a.json", R"({"long_factor": [1, "2"]})", {"'long_factor'", "\"2\""});
  corrupt("c.csv", "", {"no factors"});
  corrupt("c.csv", "1.0\nfactor\n", {"line 2", "'factor'"});
  corrupt("c.csv", "1.0\n1.1,1.2\n", {"one column"});
  expectError(read("c.csv", "1,2,3\n1,2,4\n"), ErrorCode::Unsupported, {"rows (layers) differ"});
  // A row is no other row than itself, even where nan != nan; what is wrong is said where it is
  // used.
  ASSERT_TRUE(read("n.csv", "1,nan,1,1,1,1,1,1\n"));
  expectError(plan("longrope", {{"factors", (temp / "n.csv").string()}}, 4.0),
              ErrorCode::InvalidArgument, {"long_factor[1]", "positive"});
  expectError(readFactorFile(temp / "none.csv"), ErrorCode::NotFound, {"none.csv"});
  expectError(plan("longrope", {{"factors", (temp / "none.csv").string()}}), ErrorCode::NotFound,
              {"none.csv"});
}

}  // namespace
}  // namespace ropescope::rope
