#include "core/eval/sweep_losses.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "core/base/memory_size.h"

namespace ropescope {
namespace {

bool belongs(const PerplexityRecord& record, const LossGroup& group) {
  return record.setting.base == group.base && record.setting.variant == group.variant;
}

// Mean over the range's positions; index 0 has no loss.
double meanOf(const std::vector<double>& bins, const std::vector<std::int64_t>& ends,
              const PositionRange& range) {
  double sum = 0.0;
  std::int64_t scored = 0;
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (begin >= range.begin && ends[i] <= range.end) {
      const std::int64_t count = ends[i] - std::max<std::int64_t>(begin, 1);
      sum += bins[i] * static_cast<double>(count);
      scored += count;
    }
    begin = ends[i];
  }
  return sum / static_cast<double>(scored);
}

// Of a mean of independent values.
std::optional<double> standardErrorOf(const std::vector<double>& values) {
  if (values.size() < 2) return std::nullopt;
  const auto count = static_cast<double>(values.size());
  double mean = 0.0;
  for (const double value : values) mean += value / count;
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (count - 1.0) / count);
}

// The books that most settings have; of two such sets the larger.
std::set<std::string> commonBooks(const std::map<std::string, std::set<std::string>>& byLabel) {
  std::map<std::set<std::string>, std::size_t> votes;
  for (const auto& [label, books] : byLabel) ++votes[books];
  const auto most = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second, a.first.size()) < std::pair(b.second, b.first.size());
  });
  return most->first;
}

template <class Map>
std::vector<PairedLoss> valuesOf(const Map& map) {
  std::vector<PairedLoss> values;
  for (const auto& [name, value] : map) values.push_back(value);
  return values;
}

}  // namespace

std::vector<LossGroup> inReportOrder(std::vector<LossGroup> groups) {
  std::map<std::string, double> largest;  // factor of a method
  std::vector<std::string> variants;
  const auto place = [&](const std::string& variant) {
    const auto found = std::find(variants.begin(), variants.end(), variant);
    const auto index = found - variants.begin();
    if (found == variants.end()) variants.push_back(variant);
    return index;
  };
  for (const LossGroup& group : groups) {
    double& factor = largest[group.method];
    factor = std::max(factor, group.factor);
    place(group.variant);
  }
  const auto rank = [&](const LossGroup& group) {
    return std::tuple(largest.at(group.method) > 1.0, group.method, group.factor, group.base,
                      place(group.variant));
  };
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return groups;
}

void widen(PairedComparison& paired, const std::optional<double>& seedError) {
  if (!paired.standardError || seedError.value_or(0.0) <= *paired.standardError) return;
  paired.standardError = seedError;
  paired.relativeGainError = std::exp(paired.meanDifference) * *seedError;
}

std::optional<double> GroupComparison::error() const {
  PairedComparison wide = paired;
  widen(wide, seedError);
  return wide.standardError;
}

std::optional<double> GroupComparison::gainError() const {
  PairedComparison wide = paired;
  widen(wide, seedError);
  return wide.relativeGainError;
}

std::optional<double> GroupComparison::errors() const {
  if (!paired.standardError) return std::nullopt;
  if (std::abs(paired.meanDifference) < kLossUnit) return 0.0;
  return -paired.meanDifference / std::max(*error(), kLossUnit);
}

// Half a seed would be compared on other windows than the rest, and a book that few settings have
// would change the means of those alone.
void SweepLosses::dropIncomplete() {
  using Books = std::set<std::string>;
  std::map<std::int64_t, std::map<std::string, Books>> books;  // by length and label
  for (const PerplexityRecord& record : m_records) {
    books[record.length][record.setting.label].insert(record.book);
  }
  for (const auto& [length, own] : books) {
    const Books wanted = commonBooks(own);
    std::map<std::string, std::size_t> extra;
    const auto lacks = [&, &own = own](const std::string& label) {
      return !std::includes(own.at(label).begin(), own.at(label).end(), wanted.begin(),
                            wanted.end());
    };
    for (const auto& [label, found] : own) {
      std::size_t measured = 0;
      for (const std::string& book : found) wanted.contains(book) ? ++measured : ++extra[book];
      if (!lacks(label)) continue;
      m_incomplete.push_back(label + " at " + countText(length) + ": " + std::to_string(measured) +
                             " of " + std::to_string(wanted.size()) +
                             " books are measured, left out");
    }
    for (const auto& [book, settings] : extra) {
      m_incomplete.push_back(book + " at " + countText(length) + ": " + std::to_string(settings) +
                             " of " + std::to_string(own.size()) + " settings have it, left out");
    }
    std::erase_if(m_records, [&, length = length](const PerplexityRecord& record) {
      return record.length == length &&
             (lacks(record.setting.label) || !wanted.contains(record.book));
    });
  }
}

SweepLosses::SweepLosses(const std::vector<PerplexityRecord>& records)
    : m_records(records),
      m_windowsPerBook(records.empty() ? 0 : records.front().windowsPerBook) {
  dropIncomplete();
  for (const PerplexityRecord& record : m_records) {
    if (record.losses.empty()) continue;  // a book too short for a window
    const SweptSetting& setting = record.setting;
    if (find(setting.base, setting.variant) == nullptr) {
      m_groups.push_back({setting.base, setting.method, setting.factor, setting.variant});
    }
    if (std::find(m_lengths.begin(), m_lengths.end(), record.length) == m_lengths.end()) {
      m_lengths.push_back(record.length);
    }
  }
  std::sort(m_lengths.begin(), m_lengths.end());
  m_groups = inReportOrder(std::move(m_groups));
}

const LossGroup* SweepLosses::find(const std::string& base, const std::string& variant) const {
  const auto found = std::find_if(m_groups.begin(), m_groups.end(), [&](const LossGroup& group) {
    return group.base == base && group.variant == variant;
  });
  return found == m_groups.end() ? nullptr : &*found;
}

const std::vector<std::int64_t>& SweepLosses::binEnds(std::int64_t length) const {
  static const std::vector<std::int64_t> kNone;
  for (const PerplexityRecord& record : m_records) {
    if (record.length == length) return record.binEnds;
  }
  return kNone;
}

std::vector<SweepLosses::Seed> SweepLosses::seeds(const LossGroup& group,
                                                  std::int64_t length) const {
  std::vector<Seed> found;
  for (const PerplexityRecord& record : m_records) {
    if (!belongs(record, group) || record.length != length) continue;
    const Seed& seed = record.setting.seed;
    if (std::find(found.begin(), found.end(), seed) == found.end()) found.push_back(seed);
  }
  std::sort(found.begin(), found.end());
  return found;
}

SweepLosses::WindowLosses SweepLosses::losses(const LossGroup& group, std::int64_t length,
                                              const Seed& seed, const PositionRange& range) const {
  WindowLosses found;
  for (const PerplexityRecord& record : m_records) {
    if (!belongs(record, group) || record.length != length || record.setting.seed != seed) continue;
    const auto taken = static_cast<std::int64_t>(record.losses.size());
    for (std::int64_t j = 0; j < taken; ++j) {
      // As evaluationWindows() takes them.
      const std::int64_t window = (2 * j + 1) * record.windowsOfBook / (2 * taken);
      found[{record.book, window}] =
          meanOf(record.losses[static_cast<std::size_t>(j)], record.binEnds, range);
    }
  }
  return found;
}

SweepLosses::SeedPairs SweepLosses::seedPairs(const LossGroup& candidate, const LossGroup& baseline,
                                              std::int64_t length) const {
  SeedPairs pairs;
  for (const Seed& own : seeds(candidate, length)) {
    for (const Seed& other : seeds(baseline, length)) {
      if (own == other || !own || !other) pairs.emplace_back(own, other);
    }
  }
  return pairs;
}

std::map<SweepLosses::WindowName, PairedLoss> SweepLosses::paired(const LossGroup& candidate,
                                                                  const LossGroup& baseline,
                                                                  std::int64_t length,
                                                                  const PositionRange& range,
                                                                  const SeedPairs& pairs) const {
  std::map<WindowName, PairedLoss> sums;
  std::map<WindowName, std::size_t> counts;
  for (const auto& [own, other] : pairs) {
    const WindowLosses left = losses(candidate, length, own, range);
    const WindowLosses right = losses(baseline, length, other, range);
    for (const auto& [name, loss] : left) {
      const auto match = right.find(name);
      if (match == right.end()) continue;
      PairedLoss& sum = sums[name];
      sum.book = name.first;
      sum.candidate += loss / static_cast<double>(pairs.size());
      sum.baseline += match->second / static_cast<double>(pairs.size());
      ++counts[name];
    }
  }
  // A window that one seed lacks would mix windows with seeds.
  std::erase_if(sums, [&](const auto& each) { return counts[each.first] != pairs.size(); });
  return sums;
}

std::optional<GroupMean> SweepLosses::mean(const LossGroup& group, std::int64_t length,
                                           const PositionRange& range) const {
  const auto own = seeds(group, length);
  SeedPairs same;
  for (const Seed& seed : own) same.emplace_back(seed, seed);
  const auto windows = paired(group, group, length, range, same);
  if (windows.empty()) return std::nullopt;
  std::vector<BookValue> values;
  for (const auto& [name, loss] : windows) values.push_back({name.first, loss.candidate});
  const auto mean = clusteredMean(values);
  if (!mean) return std::nullopt;
  GroupMean result{.mean = *mean, .seedMeans = {}};
  for (const auto& pair : same) {
    double sum = 0.0;
    const auto single = paired(group, group, length, range, {pair});
    for (const auto& [name, loss] : single) sum += loss.candidate;
    result.seedMeans.push_back(sum / static_cast<double>(single.size()));
  }
  return result;
}

std::optional<GroupComparison> SweepLosses::compare(const LossGroup& candidate,
                                                    const LossGroup& baseline, std::int64_t length,
                                                    const PositionRange& range) const {
  const auto pairs = seedPairs(candidate, baseline, length);
  const auto all = comparePaired(valuesOf(paired(candidate, baseline, length, range, pairs)));
  if (!all) return std::nullopt;
  GroupComparison result{.paired = *all, .seedGains = {}};
  std::vector<double> differences;
  for (const auto& pair : pairs) {
    const auto one = comparePaired(valuesOf(paired(candidate, baseline, length, range, {pair})));
    if (!one) continue;
    result.seedGains.push_back(one->relativeGain);
    differences.push_back(one->meanDifference);
  }
  result.seedError = standardErrorOf(differences);
  return result;
}

std::optional<PairedComparison> SweepLosses::growth(const LossGroup& candidate,
                                                    const LossGroup& baseline, std::int64_t length,
                                                    const PositionRange& early,
                                                    const PositionRange& late) const {
  const auto growthOver = [&](const SeedPairs& pairs) {
    const auto first = paired(candidate, baseline, length, early, pairs);
    auto windows = paired(candidate, baseline, length, late, pairs);
    for (auto& [name, loss] : windows) {
      const PairedLoss& before = first.at(name);
      loss.candidate -= loss.baseline;
      loss.baseline = before.candidate - before.baseline;
    }
    return comparePaired(valuesOf(windows));
  };
  const auto pairs = seedPairs(candidate, baseline, length);
  const auto all = growthOver(pairs);
  if (!all) return std::nullopt;
  std::vector<double> differences;
  for (const auto& pair : pairs) {
    if (const auto one = growthOver({pair})) differences.push_back(one->meanDifference);
  }
  PairedComparison result = *all;
  widen(result, standardErrorOf(differences));
  return result;
}

}  // namespace ropescope
