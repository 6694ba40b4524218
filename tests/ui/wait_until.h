// Runs the event loop until something is so; the reason for a wait stands at its call.
#pragma once

#include <QDeadlineTimer>
#include <QTest>

namespace ropescope::ui {

constexpr int kPatienceMs = 60000;  // far above what a slow machine with sanitizers needs

template <class Condition>
bool waitUntil(Condition condition, int milliseconds = kPatienceMs) {
  const QDeadlineTimer deadline(milliseconds);
  while (!condition()) {
    if (deadline.hasExpired()) return false;
    QTest::qWait(2);
  }
  return true;
}

}  // namespace ropescope::ui
