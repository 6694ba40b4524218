// Cells of a small sweep, for tests of what is computed and written from them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/eval/sweep_records.h"

namespace ropescope::test {

// Windows of 8 tokens: index 0 has no loss, so a window with bins 4 and 8 has 3 and 4 scored
// tokens.
inline PerplexityRecord cell(const std::string& base, const std::string& variant,
                             std::optional<std::int64_t> seed, const std::string& book,
                             std::vector<std::vector<double>> losses) {
  PerplexityRecord record;
  const std::string name = seed ? "," + variant + std::to_string(*seed) : "," + variant;
  record.setting = {.label = base + name,
                    .base = base,
                    .method = base.substr(0, base.find(':')),
                    .factor = std::stod(base.substr(base.find('=') + 1)),
                    .variant = variant,
                    .seed = seed};
  record.length = 8;
  record.book = book;
  record.bookTokens = 100;
  record.windowsOfBook = static_cast<std::int64_t>(losses.size());
  record.binEnds = {4, 8};
  record.losses = std::move(losses);
  return record;
}

// Two books, two windows each. Differences psc - lora, mean over a window's 7 scored tokens:
// a: both windows -0.3; b: both windows -0.08.
inline std::vector<PerplexityRecord> twoVariants() {
  return {cell("pi:factor=2", "lora", 0, "a", {{3.0, 2.0}, {3.5, 2.5}}),
          cell("pi:factor=2", "lora", 0, "b", {{4.0, 3.0}, {4.5, 3.5}}),
          cell("pi:factor=2", "psc", 0, "a", {{2.7, 1.7}, {3.2, 2.2}}),
          cell("pi:factor=2", "psc", 0, "b", {{3.92, 2.92}, {4.42, 3.42}})};
}

inline SweepRecords recordsOf(std::vector<PerplexityRecord> cells) {
  SweepRecords records;
  records.header = {{"kind", "sweep"},     {"model", "tiny"},    {"model_hash", "0123456789abcdef"},
                    {"trained_length", 4}, {"dtype", "float32"}, {"bos", false}};
  records.perplexity = std::move(cells);
  return records;
}

}  // namespace ropescope::test
