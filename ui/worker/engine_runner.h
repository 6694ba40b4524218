// Runs core jobs on the engine thread and brings their results back to the GUI thread.
//
// Long jobs (load, read, answer, sweep) run one after the other in the order they were started.
// View requests (pictures) are served at once when idle, and between the chunks and tokens of a
// running long job otherwise; they never cancel it and take at most a third of its time. All public
// functions belong to the GUI thread.
#pragma once

#include <QObject>
#include <QPointer>
#include <QString>
#include <QThread>
#include <QTimer>
#include <atomic>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "ui/worker/engine_room.h"
#include "ui/worker/stream_buffer.h"

namespace ropescope::ui {

enum class Lane { Load, Document, Answer, Sweep, Losses, Needles, Heads, Rerun, Housekeeping };

// What becomes of earlier jobs of the same lane.
enum class SameLane {
  Replace,  // asked to stop, their results are dropped
  Queue,    // they finish first
};

class EngineRunner : public QObject {
  Q_OBJECT

 public:
  template <class Value>
  using Work = std::function<Result<Value>(EngineRoom&, const JobControl&)>;
  template <class Value>
  using Deliver = std::function<void(const Result<Value>&)>;

  explicit EngineRunner(QObject* parent = nullptr);
  ~EngineRunner() override;  // asks everything to stop, waits for the thread

  // `work` runs on the engine thread; `deliver` on this object's thread, and not at all once
  // `receiver` is gone or the job was replaced. A stopped job delivers its own result, or Cancelled
  // when it had not begun.
  template <class Value>
  void startLong(QObject* receiver, Lane lane, SameLane sameLane, Work<Value> work,
                 Deliver<Value> deliver) {
    enqueue(receiver, lane, sameLane, erase<Value>(std::move(work), deliver), [deliver] {
      deliver(Error{ErrorCode::Cancelled, "stopped before it began"});
    });
  }

  // A picture: of requests with the same key only the newest is answered.
  template <class Value>
  void requestView(const QString& key, QObject* receiver, Work<Value> work,
                   Deliver<Value> deliver) {
    enqueueView(key, receiver, erase<Value>(std::move(work), std::move(deliver)));
  }
  void dropViews(const QString& key);  // forgets a request; its result does not arrive

  // A sink for the engine thread: `deliver` gets the values on the GUI thread, at most 30 times a
  // second and always before the result of the job that put them. Without `merge` the newest wins.
  template <class Value>
  std::function<void(Value)> stream(QObject* receiver, std::function<void(const Value&)> deliver,
                                    typename StreamBuffer<Value>::Merge merge = {}) {
    auto buffer = std::make_shared<StreamBuffer<Value>>(std::move(merge));
    addChannel([buffer, alive = QPointer<QObject>(receiver), deliver = std::move(deliver)] {
      const bool last = buffer.use_count() == 1;  // read before take(): the sink is gone already
      if (auto value = buffer->take(); value && alive) deliver(*value);
      return !last && alive;
    });
    return [buffer](Value value) { buffer->put(std::move(value)); };
  }

  void stop(Lane lane);  // running and waiting jobs of the lane
  void stopAll();
  bool isBusy() const { return !m_jobs.empty(); }
  bool isBusy(Lane lane) const;
  bool isRunning(Lane lane) const;  // began, not only waiting

 signals:
  void busyChanged();
  // Of the running long job, at most 30 times a second.
  void progressed(ropescope::ui::Lane lane, const ropescope::Progress& progress);

 private:
  using Delivery = std::function<void()>;
  using Run = std::function<Delivery(EngineRoom&, const JobControl&)>;
  struct LongJob;
  struct ViewJob;
  class Worker;

  // An exception on the engine thread would end the program, and what is open with it.
  template <class Value>
  static Result<Value> guarded(const std::function<Result<Value>()>& work) {
    try {
      return work();
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::OutOfMemory,
                   "the memory did not suffice; plan a shorter context or close other programs"};
    } catch (const std::exception& exception) {
      return Error{ErrorCode::Internal, std::string("an unexpected failure inside the program: ") +
                                            exception.what() +
                                            "; please report it with what you did before"};
    }
  }

  template <class Value>
  static Run erase(Work<Value> work, Deliver<Value> deliver) {
    return [work = std::move(work), deliver = std::move(deliver)](EngineRoom& room,
                                                                  const JobControl& job) {
      auto result =
          std::make_shared<const Result<Value>>(guarded<Value>([&] { return work(room, job); }));
      return Delivery([result, deliver] { deliver(*result); });
    };
  }

  void enqueue(QObject* receiver, Lane lane, SameLane sameLane, Run run, Delivery cancelled);
  void enqueueView(const QString& key, QObject* receiver, Run run);
  void addChannel(std::function<bool()> flush);  // false: the channel is over
  void flushChannels();
  void finish(const std::shared_ptr<LongJob>& job, const Delivery& delivery);
  void cancel(const std::shared_ptr<LongJob>& job);
  void finishView(const std::shared_ptr<ViewJob>& job, const Delivery& delivery);
  void runLong(const std::shared_ptr<LongJob>& job);  // engine thread, as the next two
  void serveViews();
  std::shared_ptr<ViewJob> takeView(quint64 beforeTicket);

  QThread m_thread;
  Worker* m_worker = nullptr;                    // lives on m_thread, deleted there
  std::vector<std::shared_ptr<LongJob>> m_jobs;  // waiting and running, oldest first
  std::vector<std::function<bool()>> m_channels;
  QTimer m_tick;
  quint64 m_lastTicket = 0;
  std::map<QString, quint64> m_newestView;  // by key

  std::mutex m_viewMutex;  // guards the next two
  std::map<QString, std::shared_ptr<ViewJob>> m_waitingViews;
  std::map<QString, std::shared_ptr<ViewJob>> m_runningViews;
};

}  // namespace ropescope::ui
