#include "core/eval/sweep_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "core/eval/evaluation_windows.h"
#include "core/eval/question_run.h"
#include "core/eval/retrieval_grid.h"
#include "core/eval/retrieval_session.h"
#include "core/eval/sweep_records.h"

namespace ropescope {
namespace {

constexpr std::int64_t kKeyTokens = 10;  // longest answer, as in YaRN's passkey program

// A whole number over the units of a nat: its text stays short.
double rounded(double nats) {
  constexpr double kUnits = 1.0 / kLossUnit;
  return std::round(nats * kUnits) / kUnits;
}

ResultJson calibrationJson(const Calibration* calibration) {
  if (calibration == nullptr) return nullptr;
  const CalibrationInfo& info = calibration->info();
  return {{"file", info.path.filename().string()},
          {"parameters", info.parameters},
          {"lora_rank", info.loraRank},
          {"has_phase", info.hasPhase}};  // the rest stands in the file, whose hash is in the key
}

struct AnswerCount {
  std::int64_t asked = 0;
  std::int64_t correct = 0;
  void add(bool right) {
    ++asked;
    correct += right ? 1 : 0;
  }
};

class SweepRunner {
 public:
  explicit SweepRunner(const SweepInput& input)
      : m_input(input),
        m_longest(longestLength(input.settings)) {
    for (const SweepBook& book : input.books) m_books.push_back({book.name, book.ids});
  }

  // What can be refused now is not refused after hours.
  Status prepare(const SweepPlan& plan) {
    m_curves.resize(m_input.settings.settings.size());
    for (const SweepCell& cell : plan.cells) {
      auto& curve = m_curves[cell.setting];
      if (curve) continue;
      const SweepSetting& setting = m_input.settings.settings[cell.setting];
      auto parsed = parseCurve(setting.curve, m_input.engine);
      if (!parsed) return parsed.error();
      parsed->label = setting.label;
      if (parsed->calibration && m_input.onCalibration) {
        m_input.onCalibration(parsed->calibration->info());
      }
      for (const std::int64_t length : {std::int64_t{2}, m_longest}) {
        Status planned =
            checkPlan(m_input.engine, *parsed, {.longest = m_longest, .length = length});
        if (!planned) return planned;
      }
      curve = *std::move(parsed);
    }
    if (m_input.settings.perplexity) {
      for (const std::int64_t length : m_input.settings.perplexity->lengths) {
        const auto windows = evaluationWindows(m_books, windowConfig(length));
        if (!windows) return windows.error();
      }
    }
    return prepareRetrieval();
  }

  Result<ResultJson> measure(const SweepCell& cell, const JobControl& job) {
    const auto start = std::chrono::steady_clock::now();
    const auto own = cell.measure == SweepMeasure::Perplexity ? perplexity(cell, job)
                     : cell.measure == SweepMeasure::Passkey  ? passkey(cell, job)
                                                              : questions(cell, job);
    if (!own) return own.error();
    const SweepSetting& setting = m_input.settings.settings[cell.setting];
    const CurveSettings& curve = *m_curves[cell.setting];
    ResultJson record = {{"key", cell.key},
                         {"base", setting.base},
                         {"method", setting.method},
                         {"factor", factorOf(curve, cell.length)},
                         {"variant", setting.variant},
                         {"seed", setting.seed ? ResultJson(*setting.seed) : ResultJson(nullptr)},
                         {"calibration", calibrationJson(curve.calibration.get())}};
    record.update(*own);
    record.update(m_input.stamp);
    record["seconds"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return record;
  }

 private:
  WindowConfig windowConfig(std::int64_t length) const {
    return {.length = length,
            .bos = bosOf(m_input.engine),
            .mostPerBook = m_input.settings.perplexity->windowsPerBook};
  }

  double factorOf(const CurveSettings& curve, std::int64_t length) const {
    const auto choice = choiceAt(curve, m_input.engine, {.longest = m_longest, .length = length});
    const auto plan = m_input.engine.plan(choice, length);
    return plan ? plan->context.factor : 0.0;  // prepare() has planned it
  }

  // Passkey prompts and questions, once for all settings.
  Status prepareRetrieval() {
    const auto& settings = m_input.settings;
    if (!settings.passkey && !settings.questions) return Done{};
    const auto tokenizer = m_input.engine.tokenizer();
    if (!tokenizer) return tokenizer.error();
    std::vector<std::shared_ptr<const BookTokens>> books;
    for (const SweepBook& book : m_input.books) {
      auto tokens = bookTokens(**tokenizer, book.name, book.text);
      if (!tokens) return tokens.error();
      books.push_back(*std::move(tokens));
    }
    if (settings.passkey) {
      Status made = makePrompts(*tokenizer, books);
      if (!made) return made;
    }
    if (!settings.questions) return Done{};
    for (const std::int64_t length : settings.questions->lengths) {
      auto set = bookQuestions(*tokenizer, m_input.engine.promptFormat(), books,
                               {.length = length,
                                .count = settings.questions->perType,
                                .types = settings.questions->types,
                                .seed = static_cast<std::uint64_t>(settings.questions->seed)});
      if (!set) return set.error();
      for (const std::string& notice : set->notices) {
        logTo(m_input.log, LogLevel::Warning, notice);
      }
      m_questions[length] = *std::move(set);
    }
    return Done{};
  }

  Status makePrompts(const std::shared_ptr<const Tokenizer>& tokenizer,
                     const std::vector<std::shared_ptr<const BookTokens>>& books) {
    const SweepPasskey& passkey = *m_input.settings.passkey;
    const bool ownText = passkey.recipe == PasskeyRecipe::Bookworm;
    for (std::size_t i = 0; i < (ownText ? books.size() : 1); ++i) {
      auto prompts = PasskeyPrompts::make({.recipe = passkey.recipe,
                                           .seed = static_cast<std::uint64_t>(passkey.seed),
                                           .tokenizer = tokenizer,
                                           .format = m_input.engine.promptFormat(),
                                           .book = ownText ? books[i] : nullptr});
      if (!prompts) return prompts.error();
      m_prompts.push_back(*std::move(prompts));
    }
    for (const std::int64_t length : passkey.lengths) {
      for (const double depth : passkey.depths) {
        for (const PasskeyPrompts& prompts : m_prompts) {
          const auto prompt = prompts.prompt({.length = length, .depth = depth, .trial = 0});
          if (!prompt) return prompt.error();
        }
      }
    }
    return Done{};
  }

  Result<ResultJson> perplexity(const SweepCell& cell, const JobControl& job) {
    const EvaluationBook& book = m_books[cell.book];
    WindowConfig config = windowConfig(cell.length);
    const auto own = cell.length - (config.bos ? 1 : 0);
    const auto tokens = static_cast<std::int64_t>(book.ids.size());
    ResultJson result = {{"book_tokens", tokens},
                         {"windows_of_book", tokens / own},
                         {"bin_ends", defaultBinEnds(cell.length)},
                         {"losses", ResultJson::array()}};
    if (tokens < own) return result;  // another book has windows of this length
    const auto windows = evaluationWindows({book}, config);
    if (!windows) return windows.error();
    CurveSettings curve = *m_curves[cell.setting];
    curve.label += ", " + book.name;
    curve.rope = choiceAt(curve, m_input.engine, {.longest = m_longest, .length = cell.length});
    const auto losses =
        windowLosses(m_input.engine, curve, *windows, defaultBinEnds(cell.length), job);
    if (!losses) return losses.error();
    for (const WindowLoss& window : *losses) {
      ResultJson bins = ResultJson::array();
      for (const PositionBin& bin : window.bins) bins.push_back(rounded(bin.meanLoss));
      result["losses"].push_back(std::move(bins));
    }
    return result;
  }

  Result<ResultJson> passkey(const SweepCell& cell, const JobControl& job) {
    const CurveSettings& curve = *m_curves[cell.setting];
    auto session =
        sessionAt(m_input.engine, curve,
                  {.longest = m_longest, .length = cell.length, .answerRoom = kKeyTokens});
    if (!session) return session.error();
    RetrievalCell done{
        .method = curve.label, .length = cell.length, .depth = cell.depth, .answers = {}};
    for (std::int64_t trial = 0; trial < m_input.settings.passkey->trials; ++trial) {
      const auto& prompts = m_prompts[static_cast<std::size_t>(trial) % m_prompts.size()];
      const auto prompt =
          prompts.prompt({.length = cell.length, .depth = cell.depth, .trial = trial});
      if (!prompt) return prompt.error();
      job.report({curve.label + ", pass keys", trial, m_input.settings.passkey->trials});
      const auto answer = greedyAnswer(m_input.engine, **session, prompt->parts, kKeyTokens, job);
      if (!answer) return answer.error();
      done.answers.push_back({.expected = prompt->expected,
                              .answer = *answer,
                              .judgement = judgeKey(*answer, prompt->expected),
                              .needleBegin = prompt->needleBegin});
    }
    ResultJson result = cellJson(done);
    result.erase("method");
    if (!m_input.settings.passkey->keepAnswers) result.erase("answers");
    return result;
  }

  Result<ResultJson> questions(const SweepCell& cell, const JobControl& job) {
    const CurveSettings& curve = *m_curves[cell.setting];
    auto session = sessionAt(m_input.engine, curve, {.longest = m_longest, .length = cell.length});
    if (!session) return session.error();
    const bool keep = m_input.settings.questions->keepAnswers;
    std::map<std::string, AnswerCount> counts;
    ResultJson result = {{"types", ResultJson::array()}};
    if (keep) result["windows"] = ResultJson::array();
    const auto& windows = m_questions[cell.length].windows;
    for (std::size_t i = 0; i < windows.size(); ++i) {
      AnsweredWindow done{.method = curve.label,
                          .length = cell.length,
                          .window = static_cast<std::int64_t>(i),
                          .book = windows[i].book,
                          .begin = windows[i].begin,
                          .answers = {}};
      job.report({curve.label + ", question windows", static_cast<std::int64_t>(i),
                  static_cast<std::int64_t>(windows.size())});
      for (const BookQuestion& question : windows[i].questions) {
        const auto answer =
            greedyAnswer(m_input.engine, **session, {windows[i].document, question.ids},
                         question.answerTokens + kAnswerSpare, job);
        if (!answer) return answer.error();
        done.answers.push_back({.type = std::string(questionTypeName(question.type)),
                                .question = question.question,
                                .expected = question.answer,
                                .answer = *answer,
                                .correct = judgeText(*answer, question.answer).found});
        counts[done.answers.back().type].add(done.answers.back().correct);
      }
      if (!keep) continue;
      ResultJson window = windowJson(done);
      window.erase("method");
      result["windows"].push_back(std::move(window));
    }
    for (const auto& [type, count] : counts) {
      result["types"].push_back(
          {{"type", type}, {"asked", count.asked}, {"correct", count.correct}});
    }
    return result;
  }

  const SweepInput& m_input;
  std::int64_t m_longest = 0;
  std::vector<EvaluationBook> m_books;
  std::vector<std::optional<CurveSettings>> m_curves;
  std::vector<PasskeyPrompts> m_prompts;  // one, or one for each book
  std::map<std::int64_t, QuestionSet> m_questions;
};

}  // namespace

ResultJson sweepHeader(const Engine& engine) {
  return {{"kind", "sweep"},
          {"model", engine.folder().filename().string()},
          {"model_hash", engine.modelHash()},
          {"trained_length", engine.config().trainedLength},
          {"dtype", engine.dtype()},
          {"bos", bosOf(engine).has_value()}};
}

Status measureSweep(const SweepInput& input, const SweepPlan& plan, ResultLog& log,
                    const SweepSink& onCell, const JobControl& job) {
  SweepRunner runner(input);
  if (Status ready = runner.prepare(plan); !ready) return ready;
  const auto missing = missingCells(plan.cells, log.records());
  auto done = static_cast<std::int64_t>(plan.cells.size() - missing.size());
  std::vector<Error> failed;
  for (const SweepCell& cell : missing) {
    if (job.stopRequested()) return Error{ErrorCode::Cancelled, "the sweep was stopped"};
    const auto record = runner.measure(cell, job);
    if (!record && record.error().code == ErrorCode::Cancelled) return record.error();
    if (!record) {
      failed.push_back({record.error().code, cellText(cell.key) + ": " + record.error().message});
      logTo(input.log, LogLevel::Warning, failed.back().message);
      continue;
    }
    if (Status kept = log.append(*record); !kept) return kept;
    if (onCell) onCell(*record, ++done);
  }
  if (failed.empty()) return Done{};
  const std::string count = failed.size() == 1 ? "1 cell could not be measured:"
                                               : std::to_string(failed.size()) +
                                                     " cells could not be measured, the first is";
  return Error{failed.front().code, count + " " + failed.front().message};
}

}  // namespace ropescope
