#include "tests/bench/responsiveness/watched_application.h"

#include <QEvent>
#include <QThread>
#include <algorithm>
#include <ctime>

namespace ropescope::bench {
namespace {

constexpr int kBeatMs = 1;

double threadCpuMs() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

double milliseconds(const QElapsedTimer& timer) {
  return 1e-6 * static_cast<double>(timer.nsecsElapsed());
}

}  // namespace

WatchedApplication::WatchedApplication(int& argc, char** argv) : QApplication(argc, argv) {
  m_heart.setTimerType(Qt::PreciseTimer);
  m_heart.setInterval(kBeatMs);
  connect(&m_heart, &QTimer::timeout, this, &WatchedApplication::beat);
}

void WatchedApplication::beat() {
  m_worst.beatMs = std::max(m_worst.beatMs, milliseconds(m_sinceBeat));
  m_sinceBeat.start();
}

void WatchedApplication::startWatch() {
  m_worst = {};
  m_sinceBeat.start();
  m_heart.start();
}

Blocked WatchedApplication::stopWatch() {
  beat();
  m_heart.stop();
  return m_worst;
}

bool WatchedApplication::notify(QObject* receiver, QEvent* event) {
  // The engine thread's events pass here too.
  if (QThread::currentThread() != thread() || m_depth > 0 || !m_heart.isActive()) {
    return QApplication::notify(receiver, event);
  }
  const QString name = QString::fromLatin1(receiver->metaObject()->className()) + u' ' +
                       receiver->objectName() + QStringLiteral(", event %1").arg(event->type());
  QElapsedTimer wall;
  wall.start();
  const double before = threadCpuMs();
  ++m_depth;
  const bool taken = QApplication::notify(receiver, event);  // `receiver` may be gone after it
  --m_depth;
  const double cpu = threadCpuMs() - before;
  m_worst.eventMs = std::max(m_worst.eventMs, milliseconds(wall));
  if (cpu > m_worst.eventCpuMs) {
    m_worst.eventCpuMs = cpu;
    m_worst.event = name;
  }
  return taken;
}

}  // namespace ropescope::bench
