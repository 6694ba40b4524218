// The window's light and dark palette, made from the plots' colours so that both are one picture.
#pragma once

#include <QPalette>

#include "ui/settings.h"

namespace ropescope::ui {

class Theme {
 public:
  Theme();  // remembers the system's palette; needs the QApplication
  // Sets Fusion style and palette for the whole program.
  void apply(ThemeChoice choice) const;

 private:
  QPalette m_system;
};

}  // namespace ropescope::ui
