// One line per check, and whether all held.
#pragma once

#include <cstdio>
#include <string>

namespace ropescope::gpu {

class Report {
 public:
  // `difference` must not exceed `tolerance`; `reason`: where the tolerance comes from. A NaN
  // fails.
  void check(const std::string& name, double difference, double tolerance,
             const std::string& reason) {
    const bool held = difference <= tolerance;
    count(held);
    std::printf("%-4s %-52s max difference %-10.3g tolerance %-10.3g %s\n", held ? "ok" : "FAIL",
                name.c_str(), difference, tolerance, reason.c_str());
    std::fflush(stdout);
  }

  void fail(const std::string& name, const std::string& sentence) {
    count(false);
    std::printf("FAIL %-52s %s\n", name.c_str(), sentence.c_str());
    std::fflush(stdout);
  }

  void info(const std::string& text) {
    std::printf("     %s\n", text.c_str());
    std::fflush(stdout);
  }

  int checks() const { return m_checks; }
  int failures() const { return m_failures; }

 private:
  void count(bool held) {
    ++m_checks;
    m_failures += held ? 0 : 1;
  }

  int m_checks = 0;
  int m_failures = 0;
};

}  // namespace ropescope::gpu
