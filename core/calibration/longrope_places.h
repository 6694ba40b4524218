// Which file every sample of a factor search is taken from.
#pragma once

#include <functional>
#include <map>

#include "core/calibration/longrope_samples.h"
#include "core/calibration/random.h"

namespace ropescope::calibration {

// Files in a shuffled order, over and over; one with fewer own tokens than wanted is left out.
class BookDraw {
 public:
  BookDraw(const Engine& engine, const SampleConfig& config, std::int64_t leastTokens);

  // InvalidArgument when no file is left; the book stays valid until the next call.
  Result<const SearchBook*> next();
  SplitMix& random() { return m_random; }

 private:
  const Engine& m_engine;
  const SampleConfig& m_config;
  std::int64_t m_leastTokens;
  SplitMix m_random;
  std::vector<std::size_t> m_order;
  std::size_t m_at = 0;
  std::int64_t m_longest = 0;
  std::map<std::size_t, SearchBook> m_books;
};

}  // namespace ropescope::calibration
