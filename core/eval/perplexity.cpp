#include "core/eval/perplexity.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/memory_size.h"
#include "core/eval/protocol_windows.h"

namespace ropescope {
namespace {

using Ids = std::vector<std::int32_t>;

// What one document contributes to one length: a weighted sum of losses.
struct Sample {
  double sum = 0.0;         // nats
  double weight = 0.0;      // 1, or windows, or tokens: see PerplexityPoint
  double squares = 0.0;     // of every scored token's loss
  std::int64_t scored = 0;  // tokens
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
  return decidedChoice(m.settings, m.engine, plannedFor(m.config, m.config.lengths.back()));
}

Result<std::unique_ptr<Session>> sessionFor(const Measurement& m, std::int64_t length) {
  return m.engine.newSession({.rope = choiceFor(m),
                              .contextTokens = plannedFor(m.config, length),
                              .calibration = m.settings.calibration,
                              .pscStrength = m.settings.pscStrength,
                              .lora = m.settings.lora});
}

// Of the mean loss. V = G / (G - 1) sum over documents of (sum_g - weight_g mean)^2 / (sum of
// weights)^2: for equal weights the usual variance of a mean of G documents.
std::optional<double> errorOverDocuments(const std::vector<Sample>& samples, double mean,
                                         double weights) {
  if (samples.size() < 2) return std::nullopt;
  double squares = 0.0;
  for (const Sample& sample : samples) {
    const double residual = sample.sum - sample.weight * mean;
    squares += residual * residual;
  }
  const auto count = static_cast<double>(samples.size());
  return std::sqrt(count / (count - 1.0) * squares) / weights;
}

// As llama.cpp: deviation of the tokens' losses / sqrt(n - 1). Rounding may leave a constant loss
// with a variance just below 0.
std::optional<double> errorOverTokens(const std::vector<Sample>& samples, double mean,
                                      std::int64_t tokens) {
  if (tokens < 2) return std::nullopt;
  double squares = 0.0;
  for (const Sample& sample : samples) squares += sample.squares;
  const auto count = static_cast<double>(tokens);
  return std::sqrt(std::max(0.0, squares / count - mean * mean) / (count - 1.0));
}

PerplexityPoint pointOf(std::int64_t length, const std::vector<Sample>& samples,
                        Protocol protocol) {
  PerplexityPoint point;
  point.length = length;
  point.documents = static_cast<int>(samples.size());
  Sample all;
  for (const Sample& sample : samples) {
    all.sum += sample.sum;
    all.weight += sample.weight;
    all.binSum += sample.binSum;
    all.binScored += sample.binScored;
    point.scoredTokens += sample.scored;
  }
  point.nllMeanTo = all.sum / all.weight;
  point.perplexity = std::exp(point.nllMeanTo);
  if (protocol == Protocol::OnePass && all.binScored > 0) {
    point.nllBin = all.binSum / static_cast<double>(all.binScored);
  }
  const auto error = protocol == Protocol::LlamaCpp
                         ? errorOverTokens(samples, point.nllMeanTo, point.scoredTokens)
                         : errorOverDocuments(samples, point.nllMeanTo, all.weight);
  if (error) point.standardError = point.perplexity * *error;  // by the derivative of exp
  return point;
}

void publish(Measurement& m) {
  m.curve.points.clear();
  for (const auto& [length, samples] : m.samples) {
    if (samples.empty()) continue;
    m.curve.points.push_back(pointOf(length, samples, m.config.protocol));
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
    m_measurement.samples[length].push_back({.sum = m_sum / static_cast<double>(m_scored),
                                             .weight = 1.0,
                                             .scored = m_scored,
                                             .binSum = m_binSum,
                                             .binScored = m_binScored});
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
    auto plan = m.engine.plan(choiceFor(m), plannedFor(m.config, length));
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

// How much a window counts in its protocol's mean.
double weightOf(Protocol protocol, const ProtocolWindow& window) {
  return protocol == Protocol::LlamaCpp ? static_cast<double>(window.scored) : 1.0;
}

Result<Sample> measureWindows(const Measurement& m, Session& session, const Ids& document,
                              const std::vector<ProtocolWindow>& windows,
                              const std::string& stage) {
  Sample sample;
  for (const ProtocolWindow& each : windows) {
    const Ids ids = window(m, document, each.begin, each.end);
    const auto score = session.score(ids, {}, stageOf(m, stage));
    if (!score) return score.error();
    double sum = 0.0;
    for (auto nll = score->nll.end() - each.scored; nll != score->nll.end(); ++nll) {
      sum += *nll;
      sample.squares += *nll * *nll;
    }
    const double weight = weightOf(m.config.protocol, each);
    sample.sum += weight * (sum / static_cast<double>(each.scored));
    sample.weight += weight;
    sample.scored += each.scored;
  }
  return sample;
}

Status measureByWindows(Measurement& m) {
  for (const std::int64_t length : m.config.lengths) {
    auto session = sessionFor(m, length);
    if (!session) return session.error();
    for (std::size_t d = 0; d < m.documents.size(); ++d) {
      const Ids& document = m.documents[d];
      const auto windows = protocolWindows(
          m.config, length, static_cast<std::int64_t>(document.size()), m.bos.has_value());
      if (windows.empty()) continue;
      const std::string stage = m.settings.label + " at " + countText(length) + ", document " +
                                std::to_string(d + 1) + " of " +
                                std::to_string(m.documents.size());
      const auto sample = measureWindows(m, **session, document, windows, stage);
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
  return checkReach(m.config, longest, m.bos.has_value());
}

}  // namespace

std::string_view protocolName(Protocol protocol) {
  switch (protocol) {
    case Protocol::OnePass: return "one-pass";
    case Protocol::Sliding: return "sliding";
    case Protocol::Truncate: return "truncate";
    case Protocol::LlamaCpp: return "llama.cpp";
  }
  return "one-pass";
}

std::optional<Protocol> findProtocol(std::string_view name) {
  for (const Protocol protocol : kProtocols) {
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
             ", only new tokens scored, plain mean over the windows of all documents, " + start;
    case Protocol::Truncate:
      return "each document cut to the length, one window, " + start;
    case Protocol::LlamaCpp:
      return "llama.cpp: chunks without overlap, " +
             std::string(bos ? "BOS over the first token" : "no BOS") +
             ", the second half of each scored, mean and error over tokens";
  }
  return "";
}

std::int64_t plannedFor(const PerplexityConfig& config, std::int64_t length) {
  return config.planned.value_or(length);
}

Status validate(const PerplexityConfig& config) {
  if (config.lengths.empty()) {
    return Error{ErrorCode::InvalidArgument, "no lengths are given; for example 1024,2048,4096"};
  }
  const std::int64_t shortest = config.protocol == Protocol::LlamaCpp ? 3 : 2;
  for (std::size_t i = 0; i < config.lengths.size(); ++i) {
    if (config.lengths[i] < shortest || (i > 0 && config.lengths[i] <= config.lengths[i - 1])) {
      return Error{ErrorCode::InvalidArgument,
                   "lengths must be " + std::to_string(shortest) + " or more and ascend; found " +
                       std::to_string(config.lengths[i])};
    }
  }
  if (config.planned && *config.planned < config.lengths.back()) {
    return Error{ErrorCode::InvalidArgument,
                 "the planned length is " + countText(*config.planned) +
                     ", the longest length " + countText(config.lengths.back()) +
                     "; plan for that or more (--context), or measure less (--lengths)"};
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
  if (settings.factorFollowsLength && config.planned) {
    return Error{ErrorCode::InvalidArgument,
                 "factor=auto follows every length, --context plans all for one; leave one out"};
  }
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
  const auto plan = engine.plan(choiceFor(m), plannedFor(config, config.lengths.back()));
  if (!plan) return plan.error();
  m.curve.factor = plan->context.factor;
  Status measured =
      config.protocol == Protocol::OnePass ? measureOnePass(m) : measureByWindows(m);
  if (!measured) return measured.error();
  publish(m);
  return m.curve;
}

}  // namespace ropescope
