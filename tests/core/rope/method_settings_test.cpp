// Settings of methods: wrong names, kinds and values, factor files.
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
  expectError(readFactorFile(temp / "none.csv"), ErrorCode::NotFound, {"none.csv"});
  expectError(plan("longrope", {{"factors", (temp / "none.csv").string()}}), ErrorCode::NotFound,
              {"none.csv"});
}

}  // namespace
}  // namespace ropescope::rope
