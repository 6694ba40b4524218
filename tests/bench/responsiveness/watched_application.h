// An application that notices when its event loop is held up.
#pragma once

#include <QApplication>
#include <QElapsedTimer>
#include <QTimer>

namespace ropescope::bench {

// The longest time without a beat of a 1 ms timer, and the longest single event in it. On a machine
// with fewer free cores than threads a beat also waits for a core: `eventCpuMs` says how much of
// the event was work.
struct Blocked {
  double beatMs = 0.0;      // longest gap between two beats
  double eventMs = 0.0;     // longest event
  double eventCpuMs = 0.0;  // this thread's processor time in the event that took most of it
  QString event;            // who got the event that took most processor time
};

class WatchedApplication : public QApplication {
  Q_OBJECT

 public:
  WatchedApplication(int& argc, char** argv);
  bool notify(QObject* receiver, QEvent* event) override;
  void startWatch();
  Blocked stopWatch();

 private:
  void beat();

  QTimer m_heart;
  QElapsedTimer m_sinceBeat;
  Blocked m_worst;
  int m_depth = 0;
};

}  // namespace ropescope::bench
