#include "ui/panels/panel_text.h"

namespace ropescope::ui {

QLabel* wrappedLabel(QWidget* parent) {
  auto* label = new QLabel(parent);
  label->setWordWrap(true);
  label->setTextFormat(Qt::PlainText);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  return label;
}

QLabel* labelFor(const QString& text, QWidget* control) {
  auto* label = new QLabel(text, control->parentWidget());
  label->setBuddy(control);
  return label;
}

void setBold(QLabel* label) {
  QFont font = label->font();
  font.setBold(true);
  label->setFont(font);
}

void setMuted(QLabel* label) { label->setForegroundRole(QPalette::PlaceholderText); }

void setWarning(QLabel* label, bool on) {
  QFont font = label->font();
  font.setBold(on);
  label->setFont(font);
  if (on && !label->text().startsWith(QChar(0x26A0))) {
    label->setText(QChar(0x26A0) + QStringLiteral(" ") + label->text());
  }
}

}  // namespace ropescope::ui
