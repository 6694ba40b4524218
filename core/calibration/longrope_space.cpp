#include "core/calibration/longrope_space.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/memory_size.h"

namespace ropescope::calibration {
namespace {

// Section 3.2 of arXiv:2402.13753.
constexpr double kLargestOfFactor = 1.25;
constexpr std::int64_t kUnscaledChoices[] = {0, 1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 64, 128, 256};
// Section 3.2 of arXiv:2502.20082: the highest pairs may need more than the factor. Local steps may
// go as far.
constexpr double kLargestOfFactorWide = 2.0;
constexpr double kCriticalTurns = 10.0;

constexpr std::int64_t kSmallestPopulation = 8;

Status checkSettings(const rope::RopeContext& context, const SearchSettings& settings) {
  if (settings.population < kSmallestPopulation) {
    return Error{ErrorCode::InvalidArgument,
                 "the population is " + std::to_string(settings.population) + "; at least " +
                     std::to_string(kSmallestPopulation) + " candidates are wanted"};
  }
  if (settings.evaluations < 1) {
    return Error{ErrorCode::InvalidArgument, "the search may make " +
                                                 std::to_string(settings.evaluations) +
                                                 " evaluations; at least 1 is wanted"};
  }
  const bool beyond = context.plannedLength > context.originalLength;
  if (settings.variant == SearchVariant::Critical && !beyond) {
    return Error{ErrorCode::InvalidArgument,
                 "the critical variant stretches beyond the trained length of " +
                     countText(context.originalLength) + " tokens, the target is " +
                     countText(context.plannedLength) +
                     "; take another variant or a longer target"};
  }
  return Done{};
}

Result<std::vector<double>> factorsOf(const std::string& method, const rope::RopeContext& context) {
  const auto plain = rope::makePlan({.id = "none", .values = {}, .factor = {}}, context);
  if (!plain) return plain.error();
  const auto scaled =
      rope::makePlan({.id = method, .values = {}, .factor = context.factor}, context);
  if (!scaled) return scaled.error();
  std::vector<double> factors;
  for (std::size_t pair = 0; pair < plain->invFreq.size(); ++pair) {
    factors.push_back(plain->invFreq[pair] / scaled->invFreq[pair]);
  }
  return factors;
}

// Where a candidate's leading ones and its trailing s end, so that the first mutation of a
// piecewise search keeps the seed's shape (the authors' code starts both at 0).
void setPieces(Candidate& candidate, double factor) {
  const auto& factors = candidate.factors;
  const auto last = static_cast<int>(factors.size()) - 1;
  const auto at = [&](int pair) { return factors[static_cast<std::size_t>(pair)]; };
  candidate.alpha = 0;
  while (candidate.alpha + 1 < last && at(candidate.alpha + 1) < 1.0 + kGridStep / 2) {
    ++candidate.alpha;
  }
  candidate.beta = last;
  while (candidate.beta > candidate.alpha + 1 && at(candidate.beta) > factor - kGridStep / 2) {
    --candidate.beta;
  }
}

Status addSeed(SearchSpace& space, const std::string& name, const SearchSettings& settings) {
  auto factors = factorsOf(name, space.context);
  if (!factors) return factors.error();
  Candidate candidate{.factors = *std::move(factors), .unscaledTokens = settings.unscaledTokens};
  for (Seed& seed : space.seeds) {
    if (!sameRotation(seed.candidate, candidate)) continue;
    seed.name += ", " + name;
    return Done{};
  }
  setPieces(candidate, space.context.factor);
  candidate.critical = space.lastCritical;
  space.seeds.push_back({name, std::move(candidate)});
  return Done{};
}

}  // namespace

bool sameRotation(const Candidate& a, const Candidate& b) {
  if (a.unscaledTokens != b.unscaledTokens || a.factors.size() != b.factors.size()) return false;
  for (std::size_t pair = 0; pair < a.factors.size(); ++pair) {
    if (std::abs(a.factors[pair] - b.factors[pair]) > kGridStep / 2) return false;
  }
  return true;
}

bool isMonotone(const std::vector<double>& factors) {
  return std::is_sorted(factors.begin(), factors.end());
}

std::string_view variantName(SearchVariant variant) {
  switch (variant) {
    case SearchVariant::Paper:
      return "paper";
    case SearchVariant::Piecewise:
      return "piecewise";
    case SearchVariant::Critical:
      return "critical";
    case SearchVariant::Local:
      return "local";
  }
  return "paper";
}

std::optional<SearchVariant> findVariant(std::string_view name) {
  for (const SearchVariant variant : {SearchVariant::Paper, SearchVariant::Piecewise,
                                      SearchVariant::Critical, SearchVariant::Local}) {
    if (name == variantName(variant)) return variant;
  }
  return std::nullopt;
}

int criticalPair(const rope::RopeContext& context, double turns) {
  const double pairs = context.headDim / 2;
  const double length = static_cast<double>(context.originalLength);
  const double pair = std::ceil(pairs * std::log(length / (turns * 2.0 * std::numbers::pi)) /
                                std::log(context.base));
  return static_cast<int>(std::clamp(pair, 1.0, pairs - 1.0));
}

Result<SearchSpace> makeSearchSpace(const rope::RopeContext& context,
                                    const SearchSettings& settings) {
  if (Status valid = checkSettings(context, settings); !valid) return valid.error();
  SearchSpace space{.context = context, .seeds = {}, .unscaledChoices = {}};
  const bool wide =
      settings.variant == SearchVariant::Critical || settings.variant == SearchVariant::Local;
  space.largest = context.factor * (wide ? kLargestOfFactorWide : kLargestOfFactor);
  space.firstCritical = criticalPair(context, kCriticalTurns);
  space.lastCritical = std::max(space.firstCritical, criticalPair(context, 1.0));
  if (context.plannedLength <= context.originalLength) {
    if (Status added = addSeed(space, "none", settings); !added) return added.error();
  }
  for (const char* name : {"pi", "ntk", "yarn"}) {
    if (Status added = addSeed(space, name, settings); !added) return added.error();
  }
  space.unscaledChoices = {settings.unscaledTokens};
  if (settings.searchUnscaled) {
    space.unscaledChoices.clear();
    for (const std::int64_t tokens : kUnscaledChoices) {
      if (tokens < context.plannedLength) space.unscaledChoices.push_back(tokens);
    }
  }
  return space;
}

rope::MethodChoice choiceOf(const Candidate& candidate, const rope::RopeContext& context) {
  const bool beyond = context.plannedLength > context.originalLength;
  return {.id = "longrope",
          .values = {{beyond ? "long_factor" : "short_factor", candidate.factors},
                     {"n_hat", static_cast<double>(candidate.unscaledTokens)}},
          .factor = context.factor};
}

}  // namespace ropescope::calibration
