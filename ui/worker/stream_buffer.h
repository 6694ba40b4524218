// Values that a running job streams to the window (tokens, curve points, positions): collected on
// the engine thread, handed over on the GUI thread at most 30 times a second.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace ropescope::ui {

// Thread-safe. `Merge` decides what two values that wait together become.
template <class Value>
class StreamBuffer {
 public:
  using Merge = std::function<void(Value& waiting, Value&& next)>;

  // An empty merge keeps the newest value only.
  explicit StreamBuffer(Merge merge = {}) : m_merge(std::move(merge)) {}

  void put(Value next) {
    const std::lock_guard lock(m_mutex);
    if (m_waiting && m_merge) {
      m_merge(*m_waiting, std::move(next));
    } else {
      m_waiting = std::move(next);
    }
  }

  std::optional<Value> take() {
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_waiting, std::nullopt);
  }

 private:
  Merge m_merge;
  std::mutex m_mutex;
  std::optional<Value> m_waiting;
};

}  // namespace ropescope::ui
