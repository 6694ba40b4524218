// Colours the visible part of a text by TextShading and tells it where the reader points and what
// they select. Only visible tokens: colouring all of a long text takes seconds.
#pragma once

#include <QObject>
#include <QTimer>
#include <vector>

#include "ui/viewmodels/text_shading.h"

class QPlainTextEdit;

namespace ropescope::ui {

class TokenShading : public QObject {
  Q_OBJECT

 public:
  // Belongs to `text`.
  TokenShading(QPlainTextEdit& text, TextShading& shading);
  // Tints every other token, whatever else is shown. Empty: does not.
  void setTokens(std::vector<int> offsets);
  CharacterRange visiblePart() const;
  void refresh();

 Q_SIGNALS:
  void visiblePartChanged(const ropescope::ui::CharacterRange& part);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void reveal(const CharacterRange& range);
  void tellSelection();

  QPlainTextEdit& m_text;
  TextShading& m_shading;
  std::vector<int> m_offsets;
  QTimer m_selectionTimer;  // a drag selects many times
};

}  // namespace ropescope::ui
