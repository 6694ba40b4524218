#include "core/calibration/longrope_samples.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/file_io.h"
#include "core/base/json_text.h"
#include "core/base/memory_size.h"
#include "core/calibration/longrope_places.h"
#include "core/document/document.h"
#include "core/eval/evaluation_windows.h"

namespace ropescope::calibration {
namespace {

Result<std::vector<std::int32_t>> readIds(const std::filesystem::path& path, int vocabularySize) {
  const auto text = readFile(path);
  if (!text) return text.error();
  const auto json = parseJson(*text, path.string());
  if (!json) return json.error();
  std::vector<std::int32_t> ids;
  bool valid = json->is_array() && !json->empty();
  for (const auto& item : valid ? *json : nlohmann::json::array()) {
    valid = valid && item.is_number_integer() && item >= 0 && item < vocabularySize;
    if (!valid) break;
    ids.push_back(item.get<std::int32_t>());
  }
  if (valid) return ids;
  return Error{ErrorCode::InvalidArgument,
               path.string() + " is not a JSON array of token ids from 0 to " +
                   std::to_string(vocabularySize - 1) +
                   "; give ids of this model's tokenizer, or the text itself"};
}

}  // namespace

Result<SearchBook> readSearchBook(const Engine& engine, const std::filesystem::path& path) {
  SearchBook book{.name = path.filename().string(), .text = {}, .ids = {}};
  if (path.extension() == ".json") {
    auto ids = readIds(path, engine.config().vocabularySize);
    if (!ids) return ids.error();
    book.ids = *std::move(ids);
    return book;
  }
  const auto tokenizer = engine.tokenizer();
  if (!tokenizer) return tokenizer.error();
  auto document = readDocument(path);
  if (!document) return document.error();
  book.ids = (*tokenizer)->encode(document->text).ids;
  book.text = std::move(document->text);
  return book;
}

BookDraw::BookDraw(const Engine& engine, const SampleConfig& config, std::int64_t leastTokens)
    : m_engine(engine),
      m_config(config),
      m_leastTokens(leastTokens),
      m_random(seedFor(config.seed, "search samples")),
      m_order(config.files.size()) {
  std::iota(m_order.begin(), m_order.end(), std::size_t{0});
  for (std::size_t i = m_order.size(); i > 1; --i) {
    std::swap(m_order[i - 1], m_order[m_random.below(i)]);
  }
}

Result<const SearchBook*> BookDraw::next() {
  while (!m_order.empty()) {
    const std::size_t file = m_order[m_at % m_order.size()];
    auto held = m_books.find(file);
    if (held == m_books.end()) {
      auto book = readSearchBook(m_engine, m_config.files[file]);
      if (!book) return book.error();
      held = m_books.emplace(file, *std::move(book)).first;
    }
    const auto tokens = static_cast<std::int64_t>(held->second.ids.size());
    if (tokens >= m_leastTokens) {
      m_at = (m_at + 1) % m_order.size();
      return &held->second;
    }
    m_longest = std::max(m_longest, tokens);
    logTo(m_config.log, LogLevel::Warning,
          held->second.name + " has " + countText(tokens) +
              " tokens, too few for a window; it is left out");
    m_books.erase(held);
    m_order.erase(m_order.begin() + static_cast<std::ptrdiff_t>(m_at % m_order.size()));
    if (!m_order.empty()) m_at %= m_order.size();
  }
  return Error{ErrorCode::InvalidArgument,
               "no text of the corpus is long enough: a sample of " + countText(m_config.length) +
                   " tokens needs " + countText(m_leastTokens) + " of a text, the longest has " +
                   countText(m_longest) + "; give longer texts or a shorter --context"};
}

Result<std::vector<SearchSample>> perplexitySamples(const Engine& engine,
                                                    const SampleConfig& config) {
  const auto bos = bosOf(engine);
  const std::int64_t own = config.length - (bos ? 1 : 0);
  BookDraw draw(engine, config, own);
  std::vector<SearchSample> samples;
  for (std::int64_t k = 0; k < config.count; ++k) {
    const auto book = draw.next();
    if (!book) return book.error();
    const auto places =
        static_cast<std::uint64_t>((*book)->ids.size()) - static_cast<std::uint64_t>(own) + 1;
    SearchSample sample{.book = (*book)->name,
                        .begin = static_cast<std::int64_t>(draw.random().below(places)),
                        .question = {},
                        .answer = {},
                        .ids = {}};
    if (bos) sample.ids.push_back(*bos);
    const auto first = (*book)->ids.begin() + sample.begin;
    sample.ids.insert(sample.ids.end(), first, first + own);
    if (config.positions == ScoredPositions::SecondHalf) {
      sample.firstScored = std::max<std::int64_t>(1, config.length / 2);
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

CandidateScore sampleScore(std::shared_ptr<const Engine> engine, std::vector<SearchSample> samples,
                           const rope::RopeContext& context, const SessionOptions& session,
                           const JobControl& job) {
  return [engine = std::move(engine), samples = std::move(samples), context, session,
          quiet = JobControl{.stop = job.stop, .onProgress = {}, .betweenSteps = job.betweenSteps}](
             const Candidate& candidate) -> Result<double> {
    SessionOptions options = session;
    options.rope = choiceOf(candidate, context);
    options.contextTokens = context.plannedLength;
    options.chunkTokens = engine->batchChunkTokens();
    auto reading = engine->newSession(options);
    if (!reading) return reading.error();
    double sum = 0.0;
    std::int64_t scored = 0;
    for (const SearchSample& sample : samples) {
      const auto score = (*reading)->score(sample.ids, {}, quiet);
      if (!score) return score.error();
      // nll[i] is of token i + 1.
      for (auto i = static_cast<std::size_t>(sample.firstScored - 1); i < score->nll.size(); ++i) {
        sum += score->nll[i];
        ++scored;
      }
      if (!std::isfinite(sum)) return std::numeric_limits<double>::quiet_NaN();
    }
    return sum / static_cast<double>(scored);
  };
}

}  // namespace ropescope::calibration
