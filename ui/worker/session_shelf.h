// The sessions in memory, by serial: those of the settings that the window flips between.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "core/engine/session.h"

namespace ropescope::ui {

// What one of them holds, for the window.
struct KeptSession {
  std::uint64_t serial = 0;
  std::int64_t position = 0;  // tokens read
  std::int64_t cacheBytes = 0;
  std::int64_t captureBytes = 0;
};

class SessionShelf {
 public:
  // Null when it is not there. use() counts as a use, find() does not.
  Session* use(std::uint64_t serial);
  const Session* find(std::uint64_t serial) const;
  Session& insert(std::uint64_t serial, std::unique_ptr<Session> session);  // counts as a use

  void keepOnly(const std::vector<std::uint64_t>& serials);
  bool dropOldest();  // the one whose last use is longest ago; false: there is none
  void clear() { m_sessions.clear(); }

  std::vector<KeptSession> list() const;  // used last in front
  // Bytes that the sessions have reserved and not filled: a system that hands out memory when it is
  // first written does not count them as taken yet.
  std::int64_t unfilledBytes() const;

 private:
  struct Entry {
    std::uint64_t serial;
    std::unique_ptr<Session> session;
  };
  std::list<Entry> m_sessions;  // used last in front
};

}  // namespace ropescope::ui
