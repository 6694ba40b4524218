#include "core/eval/perplexity.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/memory_size.h"

namespace ropescope {
namespace {

using Ids = std::vector<std::int32_t>;

// What one document contributes to one length.
struct Sample {
  double nllSum = 0.0;
  std::int64_t scored = 0;
  double mean = 0.0;  // of the document; for the sliding protocol the plain mean over windows
  double binSum = 0.0;
  std::int64_t binScored = 0;
};

// Everything a measurement needs to pass around.
struct Measurement {
  const Engine& engine;
  const CurveSettings& settings;
  const std::vector<Ids>& documents;
  const PerplexityConfig& config;
  const CurveSink& onUpdate;
  const JobControl& job;
  std::optional<std::int32_t> bos;
  std::map<std::int64_t, std::vector<Sample>> samples;  // by length, one per document
  PerplexityCurve curve;
};

// Tokens that a window of `length` tokens takes from the document: BOS counts, as in YaRN's program.
std::int64_t ownTokens(const Measurement& m, std::int64_t length) {
  return m.bos ? length - 1 : length;
}

Ids window(const Measurement& m, const Ids& document, std::int64_t begin, std::int64_t end) {
  Ids ids;
  if (m.bos) ids.push_back(*m.bos);
  ids.insert(ids.end(), document.begin() + begin, document.begin() + end);
  return ids;
}

rope::MethodChoice choiceFor(const Measurement& m) {
  rope::MethodChoice choice = m.settings.rope;
  const auto method = rope::findMethod(choice.id);
  if (m.settings.factorFollowsLength) {
    choice.factor.reset();  // makePlan: length / trained length, at least 1
  } else if (!choice.factor && method && method->info().takesFactor) {
    choice.factor = std::max(1.0, static_cast<double>(m.config.lengths.back()) /
                                      static_cast<double>(m.engine.config().trainedLength));
  }
  return choice;
}

Result<std::unique_ptr<Session>> sessionFor(const Measurement& m, std::int64_t length) {
  return m.engine.newSession({.rope = choiceFor(m),
                              .contextTokens = length,
                              .calibration = m.settings.calibration,
                              .pscStrength = m.settings.pscStrength,
                              .lora = m.settings.lora});
}

PerplexityPoint pointOf(std::int64_t length, const std::vector<Sample>& samples, bool bins) {
  PerplexityPoint point;
  point.length = length;
  point.documents = static_cast<int>(samples.size());
  double sum = 0.0;
  double binSum = 0.0;
  std::int64_t binScored = 0;
  for (const Sample& sample : samples) {
    sum += sample.mean;
    binSum += sample.binSum;
    binScored += sample.binScored;
    point.scoredTokens += sample.scored;
  }
  const auto count = static_cast<double>(samples.size());
  point.nllMeanTo = sum / count;
  point.perplexity = std::exp(point.nllMeanTo);
  if (bins && binScored > 0) point.nllBin = binSum / static_cast<double>(binScored);
  if (samples.size() > 1) {
    double squares = 0.0;
    for (const Sample& sample : samples) {
      squares += (sample.mean - point.nllMeanTo) * (sample.mean - point.nllMeanTo);
    }
    // Of the mean loss over documents; the perplexity's by the derivative of exp.
    const double error = std::sqrt(squares / (count - 1.0) / count);
    point.standardError = point.perplexity * error;
  }
  return point;
}

void publish(Measurement& m) {
  m.curve.points.clear();
  for (const auto& [length, samples] : m.samples) {
    if (samples.empty()) continue;
    m.curve.points.push_back(pointOf(length, samples, m.config.protocol == Protocol::OnePass));
  }
  if (m.onUpdate) m.onUpdate(m.curve);
}

// Progress of one job over many passes.
JobControl stageOf(const Measurement& m, const std::string& stage) {
  JobControl job = m.job;
  const auto outer = m.job.onProgress;
  job.onProgress = [outer, stage](const Progress& p) {
    if (outer) outer({stage, p.done, p.total});
  };
  return job;
}

// Losses so far of one pass: fills the samples of every length that is complete.
class PassLengths {
 public:
  PassLengths(Measurement& m, std::vector<std::int64_t> lengths)
      : m_measurement(m), m_lengths(std::move(lengths)) {
    const auto& all = m.config.lengths;
    const auto first = std::find(all.begin(), all.end(), m_lengths.front());
    m_binBegin = first == all.begin() ? 0 : *(first - 1);
  }

  // nll of tokens first + 1 …; token t completes length t + 1.
  void add(std::int64_t first, std::span<const double> nll) {
    for (std::size_t i = 0; i < nll.size() && m_next < m_lengths.size(); ++i) {
      const std::int64_t token = first + static_cast<std::int64_t>(i) + 1;
      m_sum += nll[i];
      ++m_scored;
      if (token >= m_binBegin) {
        m_binSum += nll[i];
        ++m_binScored;
      }
      if (token + 1 == m_lengths[m_next]) complete();
    }
  }

 private:
  void complete() {
    const std::int64_t length = m_lengths[m_next++];
    m_measurement.samples[length].push_back({m_sum, m_scored,
                                             m_sum / static_cast<double>(m_scored), m_binSum,
                                             m_binScored});
    m_binBegin = length;
    m_binSum = 0.0;
    m_binScored = 0;
    publish(m_measurement);
  }

  Measurement& m_measurement;
  std::vector<std::int64_t> m_lengths;
  std::size_t m_next = 0;
  std::int64_t m_binBegin = 0;
  double m_sum = 0.0;
  double m_binSum = 0.0;
  std::int64_t m_scored = 0;
  std::int64_t m_binScored = 0;
};

// Lengths whose plans rotate alike share one pass: fixed-factor methods need one pass for the whole
// curve, length-dependent ones a pass per length.
Result<std::vector<std::vector<std::int64_t>>> groupLengths(const Measurement& m) {
  std::vector<std::vector<std::int64_t>> groups;
  std::vector<rope::RotaryPlan> plans;
  for (const std::int64_t length : m.config.lengths) {
    auto plan = m.engine.plan(choiceFor(m), length);
    if (!plan) return plan.error();
    if (!plans.empty() && plans.back().sameRotation(*plan)) {
      groups.back().push_back(length);
    } else {
      groups.push_back({length});
    }
    plans.push_back(*std::move(plan));
  }
  return groups;
}

Status measureOnePass(Measurement& m) {
  const auto groups = groupLengths(m);
  if (!groups) return groups.error();
  for (const auto& group : *groups) {
    auto session = sessionFor(m, group.back());
    if (!session) return session.error();
    for (std::size_t d = 0; d < m.documents.size(); ++d) {
      std::vector<std::int64_t> reached;
      for (const std::int64_t length : group) {
        if (ownTokens(m, length) <= static_cast<std::int64_t>(m.documents[d].size())) {
          reached.push_back(length);
        }
      }
      if (reached.empty()) continue;
      PassLengths pass(m, reached);
      const Ids ids = window(m, m.documents[d], 0, ownTokens(m, reached.back()));
      const auto score = (*session)->score(
          ids, [&](std::int64_t first, std::span<const double> nll) { pass.add(first, nll); },
          stageOf(m, m.settings.label + ", document " + std::to_string(d + 1) + " of " +
                         std::to_string(m.documents.size())));
      if (!score) return score.error();
    }
  }
  return Done{};
}

// YaRN's program, eval/perplexity.py of jquesnelle/yarn: windows of `size` own tokens every `stride`,
// the first scores all, later ones only the tokens that the one before did not reach; a document's
// value is the plain mean over its windows. Truncate is the same with one window.
Result<Sample> measureWindows(const Measurement& m, Session& session, const Ids& document,
                              std::int64_t size, std::int64_t stride, const std::string& stage) {
  const auto total = m.config.protocol == Protocol::Truncate
                         ? std::min<std::int64_t>(size, static_cast<std::int64_t>(document.size()))
                         : static_cast<std::int64_t>(document.size());
  Sample sample;
  double windowMeans = 0.0;
  int windows = 0;
  std::int64_t scoredTo = 0;
  for (std::int64_t begin = 0; scoredTo < total; begin += stride) {
    const std::int64_t end = std::min(begin + size, total);
    const Ids ids = window(m, document, begin, end);
    const auto score = session.score(ids, {}, stageOf(m, stage));
    if (!score) return score.error();
    // Without BOS the first token of the first window has no loss.
    const auto fresh = std::min<std::size_t>(static_cast<std::size_t>(end - scoredTo),
                                             score->nll.size());
    double sum = 0.0;
    for (std::size_t i = score->nll.size() - fresh; i < score->nll.size(); ++i) {
      sum += score->nll[i];
    }
    sample.nllSum += sum;
    sample.scored += static_cast<std::int64_t>(fresh);
    windowMeans += sum / static_cast<double>(fresh);
    ++windows;
    scoredTo = end;
  }
  sample.mean = windowMeans / windows;
  return sample;
}

Status measureByWindows(Measurement& m) {
  for (const std::int64_t length : m.config.lengths) {
    auto session = sessionFor(m, length);
    if (!session) return session.error();
    for (std::size_t d = 0; d < m.documents.size(); ++d) {
      const Ids& document = m.documents[d];
      const std::int64_t size = ownTokens(m, length);
      if (static_cast<std::int64_t>(document.size()) < size) continue;
      const std::string stage = m.settings.label + " at " + countText(length) + ", document " +
                                std::to_string(d + 1) + " of " +
                                std::to_string(m.documents.size());
      const auto sample =
          measureWindows(m, **session, document, size, m.config.stride, stage);
      if (!sample) return sample.error();
      m.samples[length].push_back(*sample);
      publish(m);
    }
  }
  return Done{};
}

Status checkDocuments(const Measurement& m) {
  std::int64_t longest = 0;
  for (const Ids& document : m.documents) {
    longest = std::max(longest, static_cast<std::int64_t>(document.size()));
  }
  const std::int64_t reachable = longest + (m.bos ? 1 : 0);
  if (m.config.lengths.back() > reachable) {
    return Error{ErrorCode::InvalidArgument,
                 "the longest document has " + countText(reachable) +
                     " tokens, the length " + countText(m.config.lengths.back()) +
                     " was asked for; give a longer document or lengths up to " +
                     std::to_string(reachable)};
  }
  return Done{};
}

}  // namespace

std::string_view protocolName(Protocol protocol) {
  switch (protocol) {
    case Protocol::OnePass: return "one-pass";
    case Protocol::Sliding: return "sliding";
    case Protocol::Truncate: return "truncate";
  }
  return "one-pass";
}

std::optional<Protocol> findProtocol(std::string_view name) {
  for (const Protocol protocol : {Protocol::OnePass, Protocol::Sliding, Protocol::Truncate}) {
    if (name == protocolName(protocol)) return protocol;
  }
  return std::nullopt;
}

std::string protocolText(const PerplexityConfig& config, bool bos) {
  const std::string start = bos ? "BOS first" : "no BOS";
  switch (config.protocol) {
    case Protocol::OnePass:
      return "one pass per document from its start, " + start + ", mean over all positions";
    case Protocol::Sliding:
      return "sliding windows, stride " + std::to_string(config.stride) +
             ", only new tokens scored, plain mean over windows, " + start;
    case Protocol::Truncate:
      return "each document cut to the length, one window, " + start;
  }
  return "";
}

Status validate(const PerplexityConfig& config) {
  if (config.lengths.empty()) {
    return Error{ErrorCode::InvalidArgument, "no lengths are given; for example 1024,2048,4096"};
  }
  for (std::size_t i = 0; i < config.lengths.size(); ++i) {
    if (config.lengths[i] < 2 || (i > 0 && config.lengths[i] <= config.lengths[i - 1])) {
      return Error{ErrorCode::InvalidArgument,
                   "lengths must be 2 or more and ascend; found " +
                       std::to_string(config.lengths[i])};
    }
  }
  if (config.stride < 1) {
    return Error{ErrorCode::InvalidArgument,
                 "the stride is " + std::to_string(config.stride) + "; at least 1 is wanted"};
  }
  // Without BOS a window needs one token that was scored before.
  const std::int64_t longestStride = config.lengths.front() - 1;
  if (config.protocol == Protocol::Sliding && config.stride > longestStride) {
    return Error{ErrorCode::InvalidArgument,
                 "the stride is " + std::to_string(config.stride) +
                     ", which leaves tokens out between windows of " +
                     std::to_string(config.lengths.front()) + " tokens; at most " +
                     std::to_string(longestStride) + " is wanted"};
  }
  return Done{};
}

Result<PerplexityCurve> measureCurve(const Engine& engine, const CurveSettings& settings,
                                     const std::vector<std::vector<std::int32_t>>& documents,
                                     const PerplexityConfig& config, const CurveSink& onUpdate,
                                     const JobControl& job) {
  if (Status valid = validate(config); !valid) return valid.error();
  Measurement m{.engine = engine,
                .settings = settings,
                .documents = documents,
                .config = config,
                .onUpdate = onUpdate,
                .job = job,
                .bos = std::nullopt,
                .samples = {},
                .curve = {.settings = settings}};
  const auto tokenizer = engine.tokenizer();
  if (tokenizer && (*tokenizer)->addsBos()) m.bos = (*tokenizer)->bos();
  if (Status fits = checkDocuments(m); !fits) return fits.error();
  const auto plan = engine.plan(choiceFor(m), config.lengths.back());
  if (!plan) return plan.error();
  m.curve.factor = plan->context.factor;
  Status measured =
      config.protocol == Protocol::OnePass ? measureOnePass(m) : measureByWindows(m);
  if (!measured) return measured.error();
  publish(m);
  return m.curve;
}

}  // namespace ropescope
