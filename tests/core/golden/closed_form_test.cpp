// Published and hand-computed vectors of every method's formula.
#include <cmath>

#include <gtest/gtest.h>

#include "core/rope/rope_math.h"
#include "core/rope/rope_method.h"
#include "tests/support/golden.h"

namespace ropescope::rope {
namespace {

using golden::Json;
using golden::must;

const Json& closedForm() {
  static const Json json = golden::fileJson(golden::goldenPath("closed_form.json"));
  return json;
}

ParameterValue valueOf(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_string()) return value.get<std::string>();
  return value.get<double>();
}

RotaryPlan planOf(const Json& entry) {
  MethodChoice choice{.id = entry.at("method"), .factor = entry.at("factor").get<double>()};
  if (entry.contains("parameters")) {
    for (const auto& [name, value] : entry.at("parameters").items()) {
      choice.values[name] = valueOf(value);
    }
  }
  return must(makePlan(choice, {.base = entry.at("base"),
                                .headDim = entry.at("head_dim"),
                                .originalLength = entry.at("original_length"),
                                .plannedLength = entry.at("planned_length")}));
}

RopeContext trainedAt(std::int64_t length) {
  return {.base = 1e4, .headDim = 128, .originalLength = length, .plannedLength = length};
}

TEST(ClosedForm, FrequenciesAreThePublishedOnes) {
  for (const Json& entry : closedForm().at("frequencies")) {
    const RotaryPlan plan = planOf(entry);
    const auto indices = entry.at("indices").get<std::vector<std::size_t>>();
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const double wanted = entry.at("inv_freq")[i];
      EXPECT_NEAR(plan.invFreq.at(indices[i]), wanted,
                  wanted * entry.at("relative_tolerance").get<double>())
          << entry.at("name") << ", pair " << indices[i];
    }
    if (entry.contains("attention_factor")) {
      EXPECT_NEAR(plan.attentionFactor, entry.at("attention_factor"), 1e-9) << entry.at("name");
    }
  }
}

// The base that plain RoPE would need for the plan's last pair: base^(-(D - 2) / D) = theta_last.
TEST(ClosedForm, ChangedBasesAreThePublishedOnes) {
  for (const Json& entry : closedForm().at("bases")) {
    const RotaryPlan plan = planOf(entry);
    const double dims = entry.at("head_dim");
    const double base = std::pow(plan.invFreq.back(), -dims / (dims - 2));
    const double wanted = entry.at("new_base");
    EXPECT_NEAR(base / wanted, 1.0, entry.at("relative_tolerance")) << entry.dump();
  }
}

TEST(ClosedForm, AttentionFactorsAreThePublishedOnes) {
  const Json& factors = closedForm().at("attention_factors");
  const double tolerance = factors.at("absolute_tolerance");
  for (const Json& entry : factors.at("yarn")) {
    const auto plan =
        must(makePlan({.id = "yarn", .factor = entry.at("factor").get<double>()}, trainedAt(4096)));
    EXPECT_NEAR(plan.attentionFactor, entry.at("value"), tolerance) << entry.dump();
  }
  const Json& equal = factors.at("yarn_mscale_equal");
  const auto both =
      must(makePlan({.id = "yarn",
                     .values = {{"mscale", equal.at("mscale").get<double>()},
                                {"mscale_all_dim", equal.at("mscale_all_dim").get<double>()}},
                     .factor = equal.at("factor").get<double>()},
                    trainedAt(4096)));
  EXPECT_EQ(both.attentionFactor, equal.at("value").get<double>());
  for (const Json& entry : factors.at("longrope_trained_4096")) {
    const auto plan = must(makePlan({.id = "longrope",
                                     .values = {{"short_factor", std::vector<double>(64, 1.0)}},
                                     .factor = entry.at("factor").get<double>()},
                                    trainedAt(4096)));
    EXPECT_NEAR(plan.attentionFactor, entry.at("value"), tolerance) << entry.dump();
  }
}

// Share of interpolation rho of every pair: f = theta (rho / s + 1 - rho).
std::vector<double> sharesOf(const Json& entry, bool truncate) {
  constexpr double kFactor = 16.0;
  const auto plan =
      must(makePlan({.id = "yarn", .values = {{"truncate", truncate}}, .factor = kFactor},
                    {.base = entry.at("base"),
                     .headDim = entry.at("head_dim"),
                     .originalLength = entry.at("original_length"),
                     .plannedLength = entry.at("original_length")}));
  std::vector<double> shares = plainInvFreq(plan.context);
  for (std::size_t pair = 0; pair < shares.size(); ++pair) {
    shares[pair] = (1.0 - plan.invFreq[pair] / shares[pair]) / (1.0 - 1.0 / kFactor);
  }
  return shares;
}

TEST(ClosedForm, YarnRampsRunBetweenThePublishedPairs) {
  constexpr double kRounding = 1e-12;
  for (const Json& entry : closedForm().at("yarn_ranges")) {
    const auto exact = sharesOf(entry, false);
    const double tolerance = entry.at("absolute_tolerance");
    const auto first = static_cast<std::size_t>(std::ceil(entry.at("raw_low").get<double>()));
    const auto last = static_cast<std::size_t>(std::floor(entry.at("raw_high").get<double>()));
    const double slope = (exact.at(last) - exact.at(first)) / static_cast<double>(last - first);
    const double low = static_cast<double>(first) - exact.at(first) / slope;
    EXPECT_NEAR(low, entry.at("raw_low"), tolerance) << entry.at("name");
    EXPECT_NEAR(low + 1.0 / slope, entry.at("raw_high"), tolerance) << entry.at("name");
    if (!entry.contains("low")) continue;
    const auto whole = sharesOf(entry, true);
    const std::size_t keeps = entry.at("low");
    const std::size_t divides = entry.at("high");
    EXPECT_NEAR(whole.at(keeps), 0.0, kRounding) << entry.at("name");
    EXPECT_GT(whole.at(keeps + 1), 1e-3) << entry.at("name");
    EXPECT_LT(whole.at(divides - 1), 1.0 - 1e-3) << entry.at("name");
    EXPECT_NEAR(whole.at(divides), 1.0, kRounding) << entry.at("name");
  }
}

TEST(ClosedForm, LongRopeDividesByItsShortAndLongLists) {
  const Json& lists = closedForm().at("longrope_lists");
  RopeContext context{.base = lists.at("base"),
                      .headDim = lists.at("head_dim"),
                      .originalLength = lists.at("original_length")};
  std::vector<double> rising;
  for (int i = 1; i <= context.headDim / 2; ++i) rising.push_back(i);
  const MethodChoice choice{.id = "longrope",
                            .values = {{"short_factor", std::vector<double>(rising.size(), 2.0)},
                                       {"long_factor", rising}},
                            .factor = 10.0};
  const auto plain = plainInvFreq(context);
  context.plannedLength = context.originalLength;
  const auto shortPlan = must(makePlan(choice, context));
  context.plannedLength = context.originalLength + 1;  // strictly longer: the long list
  const auto longPlan = must(makePlan(choice, context));
  for (std::size_t pair = 0; pair < plain.size(); ++pair) {
    EXPECT_EQ(shortPlan.invFreq[pair], plain[pair] / 2.0);
    EXPECT_EQ(longPlan.invFreq[pair], plain[pair] / static_cast<double>(pair + 1));
  }
  EXPECT_EQ(shortPlan.attentionFactor, longPlan.attentionFactor);
}

TEST(ClosedForm, DivisorsOfTheRampedMethodsRunFromOneToTheFactor) {
  constexpr double kFactor = 4.0;
  const auto plain = plainInvFreq(trainedAt(4096));
  for (const char* id : {"ntk", "yarn", "llama3", "pi"}) {
    const auto plan = must(makePlan({.id = id, .factor = kFactor}, trainedAt(4096)));
    std::vector<double> divisors;
    for (std::size_t pair = 0; pair < plain.size(); ++pair) {
      divisors.push_back(plain[pair] / plan.invFreq[pair]);
      EXPECT_LE(divisors[pair], kFactor * (1 + 1e-12)) << id << ", pair " << pair;
      if (pair == 0) continue;
      EXPECT_GE(divisors[pair], divisors[pair - 1] * (1 - 1e-12)) << id << ", pair " << pair;
    }
    EXPECT_NEAR(divisors.front(), std::string(id) == "pi" ? kFactor : 1.0, 1e-12) << id;
    EXPECT_NEAR(divisors.back(), kFactor, 1e-12) << id;
  }
  // Base 10,000 trained at 65,536: the ramp's upper end, pair 65, lies beyond the last pair.
  const auto unfinished = must(makePlan({.id = "yarn", .factor = kFactor}, trainedAt(65536)));
  EXPECT_LT(plain.back() / unfinished.invFreq.back(), kFactor - 0.1);
}

}  // namespace
}  // namespace ropescope::rope
