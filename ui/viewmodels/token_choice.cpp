#include "ui/viewmodels/token_choice.h"

#include <algorithm>

namespace ropescope::ui {

void TokenChoice::choose(std::int64_t one, std::int64_t other) {
  setPicked(-1);
  if (std::min(one, other) < 0) return;
  const std::int64_t query = std::max(one, other);
  const std::int64_t key = std::min(one, other);
  if (query == m_query && key == m_key) return;
  m_query = query;
  m_key = key;
  Q_EMIT changed();
}

void TokenChoice::pick(std::int64_t position) {
  if (position < 0) return;
  if (m_picked < 0) {
    setPicked(position);
  } else {
    choose(m_picked, position);
  }
}

void TokenChoice::clear() {
  setPicked(-1);
  if (!isSet()) return;
  m_query = -1;
  m_key = -1;
  Q_EMIT changed();
}

void TokenChoice::setPicked(std::int64_t position) {
  if (position == m_picked) return;
  m_picked = position;
  Q_EMIT pickedChanged();
}

}  // namespace ropescope::ui
