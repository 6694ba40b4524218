// Ctrl-C as a stop token.
#pragma once

#include <stop_token>
#include <thread>

namespace ropescope::cli {

// From here on SIGINT and SIGTERM ask the running job to stop; a second one ends the program at
// once. Build it before any other thread starts: threads inherit which signals they leave alone.
class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return m_stop.get_token(); }

 private:
  std::stop_source m_stop;
  std::jthread m_waiter;
};

inline constexpr int kExitInterrupted = 130;

}  // namespace ropescope::cli
