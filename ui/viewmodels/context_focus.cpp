#include "ui/viewmodels/context_focus.h"

#include <algorithm>

namespace ropescope::ui {

void ContextFocus::setLength(qint64 tokens) {
  m_chosen = true;
  const qint64 allowed = std::clamp(tokens, minimum(), maximum());
  if (allowed == m_length) return;
  m_length = allowed;
  Q_EMIT lengthChanged(m_length);
}

void ContextFocus::setMaximum(qint64 tokens) {
  tokens = std::max<qint64>(1, tokens);
  if (tokens == m_maximum) return;
  m_maximum = tokens;
  Q_EMIT rangeChanged();
  const qint64 length = m_chosen ? std::clamp(m_length, minimum(), maximum()) : maximum();
  if (length == m_length) return;
  m_length = length;
  Q_EMIT lengthChanged(m_length);
}

void ContextFocus::setTrained(qint64 tokens) {
  if (tokens == m_trained) return;
  m_trained = tokens;
  Q_EMIT rangeChanged();
}

}  // namespace ropescope::ui
