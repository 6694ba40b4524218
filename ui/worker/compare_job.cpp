#include "ui/worker/compare_job.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "core/engine/answer_steps.h"
#include "ui/worker/answer_writer.h"

namespace ropescope::ui {
namespace {

using Clock = std::chrono::steady_clock;
using Stage = PaneProgress::Stage;

// One session on its way through one question.
class PaneRun {
 public:
  PaneRun(const PaneOrder& order, std::shared_ptr<const Tokenizer> tokenizer)
      : m_order(order),
        m_writer(std::move(tokenizer), order.request.parts.back()) {
    m_progress.serial = order.recipe.serial;
  }

  const PaneProgress& progress() const { return m_progress; }
  std::size_t pane() const { return m_order.pane; }
  bool isOver() const { return m_progress.stage == Stage::Finished; }

  bool makeSession(EngineRoom& room) {
    const auto session = sessionFor(room, m_order.recipe);
    if (!session) return fail(session.error());
    m_session = *session;
    m_progress.cacheBytes = m_session->cacheBytes();
    m_progress.captureBytes = m_session->captureBytes();
    return true;
  }

  void step() {  // one chunk or one token
    const auto begin = Clock::now();
    const bool reads = !m_reading || !m_reading->isDone();
    reads ? read() : write();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    (reads ? m_progress.answer.prefillSeconds : m_progress.answer.decodeSeconds) += seconds;
    m_progress.tokens = tokensOf(*m_session);
  }

  void stop() {
    if (isOver()) return;
    if (m_progress.stage != Stage::Writing) {
      fail({ErrorCode::Cancelled, "stopped before the answer began; what has been read stays"});
    } else {
      finish(FinishReason::Stopped);
    }
  }

 private:
  void read() {
    if (!m_reading) {
      auto reading = PromptReading::begin(*m_session, m_order.request.parts);
      if (!reading) return void(fail(reading.error()));
      m_reading.emplace(*std::move(reading));
      m_progress.answer.prefill = m_reading->result();
      m_progress.stage = Stage::Reading;
    }
    if (m_reading->isDone()) return;
    if (Status chunk = m_reading->readChunk(); !chunk) fail(chunk.error());
  }

  void write() {
    if (!m_drawing) {
      auto drawing = AnswerDrawing::begin(*m_session, m_order.request.generation);
      if (!drawing) return void(fail(drawing.error()));
      m_drawing.emplace(*std::move(drawing));
      m_progress.stage = Stage::Writing;
    }
    const auto token = m_drawing->draw();
    if (!token) return finish(m_drawing->finishReason());
    m_writer.add(*token, m_progress.answer);
    if (Status advanced = m_drawing->advance(); !advanced) fail(advanced.error());
  }

  void finish(FinishReason reason) {
    m_writer.finish(m_progress.answer);
    m_progress.answer.finishReason = reason;
    m_progress.stage = Stage::Finished;
  }

  bool fail(const Error& error) {
    m_progress.error = error;
    m_progress.stage = Stage::Finished;
    return false;
  }

  const PaneOrder& m_order;
  AnswerWriter m_writer;
  Session* m_session = nullptr;
  std::optional<PromptReading> m_reading;
  std::optional<AnswerDrawing> m_drawing;
  PaneProgress m_progress;
};

using Runs = std::vector<std::unique_ptr<PaneRun>>;

// Whether every session of the orders is in memory at once.
bool makeAll(EngineRoom& room, const std::vector<PaneOrder>& orders) {
  for (const PaneOrder& order : orders) {
    if (!sessionFor(room, order.recipe)) return false;
  }
  return std::all_of(orders.begin(), orders.end(), [&room](const PaneOrder& order) {
    return room.sessions.find(order.recipe.serial) != nullptr;
  });
}

void report(const Runs& runs, const JobControl& job) {
  std::int64_t done = 0;
  std::int64_t total = 0;
  bool reading = false;
  for (const auto& run : runs) {
    const PaneProgress& progress = run->progress();
    reading = reading || progress.stage == Stage::Reading;
    const std::int64_t held = progress.tokens ? std::ssize(*progress.tokens) : 0;
    done += std::min(held, progress.answer.prefill.promptTokens);
    total += progress.answer.prefill.promptTokens;
  }
  if (reading) job.report({"prefill", done, total});
}

void stepOnce(PaneRun& run, const Runs& runs, const CompareSinks& sinks, const JobControl& job) {
  run.step();
  sinks.pane(run.pane(), run.progress());
  report(runs, job);
  job.step();
}

void stopAll(const Runs& runs, const CompareSinks& sinks) {
  for (const auto& run : runs) {
    run->stop();
    sinks.pane(run->pane(), run->progress());
  }
}

}  // namespace

Status answerTogether(EngineRoom& room, const std::vector<PaneOrder>& orders,
                      const CompareSinks& sinks, const JobControl& job) {
  if (!room.engine) return Error{ErrorCode::InvalidArgument, "no model is loaded; open one first"};
  const auto tokenizer = room.engine->tokenizer();
  if (!tokenizer) return tokenizer.error();
  Runs runs;
  for (const PaneOrder& order : orders)
    runs.push_back(std::make_unique<PaneRun>(order, *tokenizer));
  const bool together = makeAll(room, orders);
  sinks.together(together);
  // In turn: a group of one after the other. Together: one group of all.
  std::vector<std::vector<PaneRun*>> groups(together ? 1 : runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) groups[together ? 0 : i].push_back(runs[i].get());
  for (auto& group : groups) {
    std::erase_if(group, [&](PaneRun* run) {
      const bool made = run->makeSession(room);
      if (!made) sinks.pane(run->pane(), run->progress());
      return !made;
    });
    while (!group.empty()) {
      for (PaneRun* run : group) {
        if (job.stopRequested()) {
          stopAll(runs, sinks);
          return Done{};
        }
        stepOnce(*run, runs, sinks, job);
      }
      std::erase_if(group, [](const PaneRun* run) { return run->isOver(); });
    }
  }
  return Done{};
}

}  // namespace ropescope::ui
