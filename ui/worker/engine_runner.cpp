#include "ui/worker/engine_runner.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace ropescope::ui {
namespace {

constexpr int kTickMs = 33;  // 30 hand-overs a second

// Keeps the pictures of a growing map from taking over the job that makes it grow: after they took
// some time, the job gets twice as much.
class ViewShare {
 public:
  bool mayServe() const { return Clock::now() - m_end >= 2 * m_cost; }

  template <class Serve>
  void serve(const Serve& serveViews) {
    const auto begin = Clock::now();
    serveViews();
    m_end = Clock::now();
    m_cost = m_end - begin;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point m_end{};
  Clock::duration m_cost{0};
};

}  // namespace

// `claimed` is taken by whoever deals with the job first: the engine thread to run it, or the GUI
// thread to cancel it while it still waits.
struct EngineRunner::LongJob {
  Lane lane = Lane::Load;
  QPointer<QObject> receiver;  // read on the GUI thread only
  std::stop_source stop;
  std::atomic<bool> claimed = false;
  bool replaced = false;  // GUI thread only
  Run run;
  Delivery cancelled;
  StreamBuffer<Progress> progress;
};

struct EngineRunner::ViewJob {
  QString key;
  quint64 ticket = 0;
  QPointer<QObject> receiver;  // read on the GUI thread only
  std::stop_source stop;
  Run run;
};

class EngineRunner::Worker : public QObject {
 public:
  EngineRoom room;
};

EngineRunner::EngineRunner(QObject* parent) : QObject(parent), m_worker(new Worker) {
  m_thread.setObjectName(QStringLiteral("engine"));
  m_worker->moveToThread(&m_thread);
  connect(&m_thread, &QThread::finished, m_worker, &QObject::deleteLater);
  m_tick.setInterval(kTickMs);
  connect(&m_tick, &QTimer::timeout, this, &EngineRunner::flushChannels);
  m_thread.start();
}

EngineRunner::~EngineRunner() {
  for (const auto& job : m_jobs) {
    job->claimed.exchange(true);  // waiting ones never begin
    job->stop.request_stop();
  }
  {
    const std::lock_guard lock(m_viewMutex);
    m_waitingViews.clear();
    for (const auto& [key, view] : m_runningViews) view->stop.request_stop();
  }
  m_thread.quit();
  m_thread.wait();
}

void EngineRunner::enqueue(QObject* receiver, Lane lane, SameLane sameLane, Run run,
                           Delivery cancelled) {
  if (sameLane == SameLane::Replace) {
    for (const auto& earlier : m_jobs) {
      if (earlier->lane != lane) continue;
      earlier->replaced = true;
      earlier->stop.request_stop();
    }
    std::erase_if(m_jobs, [&](const auto& earlier) {
      return earlier->lane == lane && !earlier->claimed.exchange(true);
    });
  }
  auto job = std::make_shared<LongJob>();
  job->lane = lane;
  job->receiver = receiver;
  job->run = std::move(run);
  job->cancelled = std::move(cancelled);
  m_jobs.push_back(job);
  if (!m_tick.isActive()) m_tick.start();
  QMetaObject::invokeMethod(m_worker, [this, job] { runLong(job); }, Qt::QueuedConnection);
  emit busyChanged();
}

void EngineRunner::runLong(const std::shared_ptr<LongJob>& job) {
  if (job->claimed.exchange(true)) return;
  JobControl control;
  control.stop = job->stop.get_token();
  control.onProgress = [job](const Progress& progress) { job->progress.put(progress); };
  control.betweenSteps = [this, job, share = ViewShare()]() mutable {
    if (job->stop.stop_requested()) return;  // a stop must not wait for a picture
    if (share.mayServe()) share.serve([this] { serveViews(); });
  };
  Delivery delivery = job->run(m_worker->room, control);
  job->run = {};  // drops the sinks it captured, so that their channels end
  control = {};
  QMetaObject::invokeMethod(
      this, [this, job, delivery = std::move(delivery)] { finish(job, delivery); },
      Qt::QueuedConnection);
}

void EngineRunner::finish(const std::shared_ptr<LongJob>& job, const Delivery& delivery) {
  flushChannels();
  std::erase(m_jobs, job);
  if (job->receiver && !job->replaced) delivery();
  emit busyChanged();
}

void EngineRunner::cancel(const std::shared_ptr<LongJob>& job) {
  job->stop.request_stop();
  if (job->claimed.exchange(true)) return;  // it runs: its own result follows
  QMetaObject::invokeMethod(
      this, [this, job] { finish(job, job->cancelled); }, Qt::QueuedConnection);
}

void EngineRunner::stop(Lane lane) {
  for (const auto& job : m_jobs) {
    if (job->lane == lane) cancel(job);
  }
}

void EngineRunner::stopAll() {
  for (const auto& job : m_jobs) cancel(job);
}

bool EngineRunner::isBusy(Lane lane) const {
  return std::any_of(m_jobs.begin(), m_jobs.end(), [lane](const auto& job) {
    return job->lane == lane && !job->replaced;
  });
}

bool EngineRunner::isRunning(Lane lane) const {
  return !m_jobs.empty() && m_jobs.front()->lane == lane && m_jobs.front()->claimed;
}

void EngineRunner::enqueueView(const QString& key, QObject* receiver, Run run) {
  auto job = std::make_shared<ViewJob>();
  job->key = key;
  job->ticket = ++m_lastTicket;
  job->receiver = receiver;
  job->run = std::move(run);
  m_newestView[key] = job->ticket;
  {
    const std::lock_guard lock(m_viewMutex);
    m_waitingViews[key] = job;
    if (const auto running = m_runningViews.find(key); running != m_runningViews.end()) {
      running->second->stop.request_stop();  // nobody wants its result any more
    }
  }
  QMetaObject::invokeMethod(m_worker, [this] { serveViews(); }, Qt::QueuedConnection);
}

void EngineRunner::dropViews(const QString& key) {
  m_newestView.erase(key);
  const std::lock_guard lock(m_viewMutex);
  m_waitingViews.erase(key);
  if (const auto running = m_runningViews.find(key); running != m_runningViews.end()) {
    running->second->stop.request_stop();
  }
}

std::shared_ptr<EngineRunner::ViewJob> EngineRunner::takeView(quint64 beforeTicket) {
  const std::lock_guard lock(m_viewMutex);
  auto oldest = m_waitingViews.end();
  for (auto view = m_waitingViews.begin(); view != m_waitingViews.end(); ++view) {
    if (view->second->ticket >= beforeTicket) continue;
    if (oldest == m_waitingViews.end() || view->second->ticket < oldest->second->ticket) {
      oldest = view;
    }
  }
  if (oldest == m_waitingViews.end()) return nullptr;
  auto job = oldest->second;
  m_waitingViews.erase(oldest);
  m_runningViews[job->key] = job;
  return job;
}

void EngineRunner::serveViews() {
  // Only what waits now: a window that keeps asking must not hold up a long job.
  quint64 end = 0;
  {
    const std::lock_guard lock(m_viewMutex);
    for (const auto& [key, view] : m_waitingViews) end = std::max(end, view->ticket + 1);
  }
  while (const auto job = takeView(end)) {
    JobControl control;
    control.stop = job->stop.get_token();
    Delivery delivery = job->run(m_worker->room, control);
    job->run = {};
    {
      const std::lock_guard lock(m_viewMutex);
      m_runningViews.erase(job->key);
    }
    QMetaObject::invokeMethod(
        this, [this, job, delivery = std::move(delivery)] { finishView(job, delivery); },
        Qt::QueuedConnection);
  }
}

void EngineRunner::finishView(const std::shared_ptr<ViewJob>& job, const Delivery& delivery) {
  const auto newest = m_newestView.find(job->key);
  if (newest == m_newestView.end() || newest->second != job->ticket || !job->receiver) return;
  delivery();
}

void EngineRunner::addChannel(std::function<bool()> flush) {
  m_channels.push_back(std::move(flush));
  if (!m_tick.isActive()) m_tick.start();
}

void EngineRunner::flushChannels() {
  if (!m_jobs.empty() && !m_jobs.front()->replaced) {
    const auto job = m_jobs.front();
    if (const auto progress = job->progress.take()) emit progressed(job->lane, *progress);
  }
  // A delivery may add channels: work on a copy of the list.
  const auto channels = std::exchange(m_channels, {});
  for (const auto& flush : channels) {
    if (flush()) m_channels.push_back(flush);
  }
  if (m_jobs.empty() && m_channels.empty()) m_tick.stop();
}

}  // namespace ropescope::ui
