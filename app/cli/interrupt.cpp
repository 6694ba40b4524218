#include "app/cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

namespace ropescope::cli {
namespace {

sigset_t stopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

// A thread that waits needs no signal handler and so no global state.
void waitForSignals(const std::stop_token& ended, std::stop_source stop) {
  const sigset_t signals = stopSignals();
  constexpr timespec kPoll{.tv_sec = 0, .tv_nsec = 50'000'000};
  while (!ended.stop_requested()) {
    if (sigtimedwait(&signals, nullptr, &kPoll) < 0) continue;
    if (!stop.request_stop()) _exit(kExitInterrupted);
  }
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t signals = stopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  m_waiter =
      std::jthread([stop = m_stop](const std::stop_token& ended) { waitForSignals(ended, stop); });
}

}  // namespace ropescope::cli
