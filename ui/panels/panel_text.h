// Small things that every panel says the same way.
#pragma once

#include <QLabel>

namespace ropescope::ui {

QLabel* wrappedLabel(QWidget* parent);                    // breaks lines, can be selected
QLabel* labelFor(const QString& text, QWidget* control);  // with its buddy
void setBold(QLabel* label);
void setMuted(QLabel* label);             // secondary text; follows the palette
void setWarning(QLabel* label, bool on);  // bold with a sign, not by colour alone

}  // namespace ropescope::ui
