#include "ui/worker/session_shelf.h"

#include <algorithm>

namespace ropescope::ui {

Session* SessionShelf::use(std::uint64_t serial) {
  const auto found = std::find_if(m_sessions.begin(), m_sessions.end(),
                                  [serial](const Entry& entry) { return entry.serial == serial; });
  if (found == m_sessions.end()) return nullptr;
  m_sessions.splice(m_sessions.begin(), m_sessions, found);
  return m_sessions.front().session.get();
}

const Session* SessionShelf::find(std::uint64_t serial) const {
  const auto found = std::find_if(m_sessions.begin(), m_sessions.end(),
                                  [serial](const Entry& entry) { return entry.serial == serial; });
  return found == m_sessions.end() ? nullptr : found->session.get();
}

Session& SessionShelf::insert(std::uint64_t serial, std::unique_ptr<Session> session) {
  m_sessions.push_front({serial, std::move(session)});
  return *m_sessions.front().session;
}

void SessionShelf::keepOnly(const std::vector<std::uint64_t>& serials) {
  m_sessions.remove_if([&serials](const Entry& entry) {
    return std::find(serials.begin(), serials.end(), entry.serial) == serials.end();
  });
}

bool SessionShelf::dropOldest() {
  if (m_sessions.empty()) return false;
  m_sessions.pop_back();
  return true;
}

std::vector<KeptSession> SessionShelf::list() const {
  std::vector<KeptSession> kept;
  for (const Entry& entry : m_sessions) {
    kept.push_back({.serial = entry.serial,
                    .position = entry.session->position(),
                    .cacheBytes = entry.session->cacheBytes(),
                    .captureBytes = entry.session->captureBytes()});
  }
  return kept;
}

std::int64_t SessionShelf::unfilledBytes() const {
  std::int64_t bytes = 0;
  for (const Entry& entry : m_sessions) {
    const std::int64_t capacity = entry.session->options().contextTokens;
    const double empty =
        1.0 - static_cast<double>(entry.session->position()) / static_cast<double>(capacity);
    const std::int64_t whole = entry.session->cacheBytes() + entry.session->captureBytes();
    bytes += static_cast<std::int64_t>(empty * static_cast<double>(whole));
  }
  return bytes;
}

}  // namespace ropescope::ui
