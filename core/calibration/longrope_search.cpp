#include "core/calibration/longrope_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/calibration/longrope_local.h"
#include "core/calibration/longrope_operators.h"

namespace ropescope::calibration {
namespace {

constexpr double kWorst = std::numeric_limits<double>::infinity();
// Replayed factors may come from a machine whose pow() rounds otherwise.
constexpr double kSameNumber = 1e-9;

bool sameProposal(const Candidate& a, const Candidate& b) {
  return a.unscaledTokens == b.unscaledTokens &&
         std::equal(a.factors.begin(), a.factors.end(), b.factors.begin(), b.factors.end(),
                    [](double x, double y) { return std::abs(x - y) <= kSameNumber; });
}

// Scores candidates one after the other and keeps all that is known about them.
class SearchRun {
 public:
  SearchRun(const SearchSpace& space, const SearchSettings& settings, const SearchHooks& hooks,
            const JobControl& job)
      : m_space(space),
        m_settings(settings),
        m_hooks(hooks),
        m_job(job) {}

  // False when the search ends here: the result says why, or the status.
  bool evaluate(Candidate candidate, const std::string& origin, bool isSeed = false) {
    const auto done = m_result.evaluations.size();
    if (done >= m_hooks.replay.size() && mustEnd()) return false;
    Evaluation evaluation{.number = static_cast<std::int64_t>(done) + 1,
                          .origin = origin,
                          .candidate = std::move(candidate),
                          .loss = kWorst,
                          .isSeed = isSeed};
    if (m_status = lossOf(evaluation); !m_status) return false;
    m_result.evaluations.push_back(std::move(evaluation));
    if (m_result.evaluations.back().loss < m_result.bestEvaluation().loss) m_result.best = done;
    if (m_hooks.onEvaluation) m_hooks.onEvaluation(m_result);
    return true;
  }

  bool evaluateSeeds() {
    for (const Seed& seed : m_space.seeds) {
      if (!evaluate(seed.candidate, "seed " + seed.name, true)) return false;
    }
    if (m_result.bestEvaluation().loss < kWorst) return true;
    m_status = Error{ErrorCode::InvalidArgument,
                     "none of the seeds (PI, NTK, YaRN) has a finite loss at a target of " +
                         std::to_string(m_space.context.plannedLength) +
                         " tokens; try --dtype float32 or a shorter target"};
    return false;
  }

  bool isNew(const Candidate& candidate) const {
    return std::none_of(
        m_result.evaluations.begin(), m_result.evaluations.end(),
        [&](const Evaluation& each) { return sameRotation(each.candidate, candidate); });
  }

  bool exhausted() {
    m_result.end = SearchEnd::Exhausted;
    return false;
  }

  const Evaluation& at(std::size_t index) const { return m_result.evaluations[index]; }
  std::size_t size() const { return m_result.evaluations.size(); }
  std::size_t best() const { return m_result.best; }

  Result<SearchResult> finish() && {
    if (!m_status && m_status.error().code != ErrorCode::Cancelled) return m_status.error();
    if (!m_status) m_result.end = SearchEnd::Stopped;
    if (m_result.evaluations.empty()) {
      return Error{ErrorCode::Cancelled, "the search was stopped before its first evaluation"};
    }
    return std::move(m_result);
  }

 private:
  bool mustEnd() {
    if (m_job.stopRequested()) {
      m_result.end = SearchEnd::Stopped;
    } else if (static_cast<std::int64_t>(m_result.evaluations.size()) >= m_settings.evaluations) {
      m_result.end = SearchEnd::Evaluations;
    } else if (m_hooks.outOfTime && m_hooks.outOfTime()) {
      m_result.end = SearchEnd::Time;
    } else {
      return false;
    }
    return true;
  }

  Status lossOf(Evaluation& evaluation) {
    const auto done = m_result.evaluations.size();
    if (done < m_hooks.replay.size()) {
      const Evaluation& known = m_hooks.replay[done];
      if (!sameProposal(known.candidate, evaluation.candidate)) {
        return Error{ErrorCode::CorruptFile,
                     "evaluation " + std::to_string(evaluation.number) +
                         " of the log has other factors than this search makes there; it was "
                         "changed or made by another version, start a new search with another "
                         "--out"};
      }
      evaluation.loss = known.loss;
      ++m_result.replayed;
      return Done{};
    }
    const auto loss = m_hooks.score(evaluation.candidate);
    if (!loss) return loss.error();
    if (std::isfinite(*loss)) evaluation.loss = *loss;
    return m_hooks.record ? m_hooks.record(evaluation) : Status(Done{});
  }

  const SearchSpace& m_space;
  const SearchSettings& m_settings;
  const SearchHooks& m_hooks;
  const JobControl& m_job;
  SearchResult m_result;
  Status m_status = Done{};
};

// The paper's loop, and the piecewise and critical variants of it.
class Evolution {
 public:
  Evolution(const SearchSpace& space, const SearchSettings& settings, SearchRun& run)
      : m_space(space),
        m_settings(settings),
        m_run(run),
        m_random(settings.seed),
        m_operators(space, settings, m_random),
        m_isNew([&run](const Candidate& candidate) { return run.isNew(candidate); }) {}

  // Until the run says that it ends.
  void go() {
    if (!firstPopulation()) return;
    std::vector<std::size_t> parents;
    for (std::size_t from = 0; true; from = m_end) {
      parents = select(std::move(parents), from);
      m_end = m_run.size();
      for (std::int64_t i = 0; i < m_settings.population / 4; ++i) {
        if (!mutate(parents[m_random.below(parents.size())])) return;
      }
      for (std::int64_t i = 0; i < m_settings.population / 4; ++i) {
        if (!cross(parents)) return;
      }
    }
  }

 private:
  // The seeds, and mutations of them in turn.
  bool firstPopulation() {
    if (!m_run.evaluateSeeds()) return false;
    const auto seeds = m_space.seeds.size();
    for (auto i = seeds; i < static_cast<std::size_t>(m_settings.population); ++i) {
      if (!mutate(i % seeds)) return false;
    }
    return true;
  }

  bool mutate(std::size_t parent) {
    auto child = m_operators.mutate(m_run.at(parent).candidate, m_isNew);
    if (!child) return m_run.exhausted();
    return m_run.evaluate(*std::move(child), "mutation of " + numberOf(parent));
  }

  // Two different parents, the better one first: they are sorted.
  bool cross(const std::vector<std::size_t>& parents) {
    auto first = m_random.below(parents.size());
    auto second = m_random.below(parents.size() - 1);
    if (second >= first) ++second;
    if (second < first) std::swap(first, second);
    auto child = m_operators.crossover(m_run.at(parents[first]).candidate,
                                       m_run.at(parents[second]).candidate, m_isNew);
    if (!child) return m_run.exhausted();
    return m_run.evaluate(*std::move(child), "crossover of " + numberOf(parents[first]) + " and " +
                                                 numberOf(parents[second]));
  }

  // The best half of a population out of the old parents and what came from `from` on; ties by age.
  std::vector<std::size_t> select(std::vector<std::size_t> parents, std::size_t from) const {
    for (std::size_t i = from; i < m_run.size(); ++i) parents.push_back(i);
    std::sort(parents.begin(), parents.end(), [&](std::size_t a, std::size_t b) {
      return m_run.at(a).loss != m_run.at(b).loss ? m_run.at(a).loss < m_run.at(b).loss : a < b;
    });
    parents.resize(std::min(parents.size(), static_cast<std::size_t>(m_settings.population / 2)));
    return parents;
  }

  std::string numberOf(std::size_t index) const { return std::to_string(m_run.at(index).number); }

  const SearchSpace& m_space;
  const SearchSettings& m_settings;
  SearchRun& m_run;
  SplitMix m_random;
  CandidateOperators m_operators;
  IsNew m_isNew;
  std::size_t m_end = 0;
};

// Always from the best so far, one step at a time.
void searchLocally(const SearchSpace& space, const SearchSettings& settings, SearchRun& run) {
  if (!run.evaluateSeeds()) return;
  LocalSteps steps(space, settings.seed);
  while (true) {
    const Evaluation& best = run.at(run.best());
    const double before = best.loss;
    auto next = steps.next(best.candidate, [&](const Candidate& c) { return run.isNew(c); });
    if (!next) {
      run.exhausted();
      return;
    }
    if (!run.evaluate(*std::move(next), "step from " + std::to_string(best.number))) return;
    steps.report(run.at(run.best()).loss < before);
  }
}

}  // namespace

Result<SearchResult> searchFactors(const SearchSpace& space, const SearchSettings& settings,
                                   const SearchHooks& hooks, const JobControl& job) {
  SearchRun run(space, settings, hooks, job);
  if (settings.variant == SearchVariant::Local) {
    searchLocally(space, settings, run);
  } else {
    Evolution(space, settings, run).go();
  }
  return std::move(run).finish();
}

}  // namespace ropescope::calibration
