// Colours, fonts and pens of every plot, light and dark: the only place in ui/ with colour values.
// They come from core/picture, so that a window and a picture drawn without one look alike.
#pragma once

#include <QColor>
#include <QFont>
#include <QPen>
#include <cstddef>

#include <qcustomplot.h>

namespace ropescope::ui {

enum class PlotTheme { Light, Dark };

// Dark when the palette's window colour is darker than its text.
PlotTheme themeOf(const QPalette& palette);

struct PlotColors {
  QColor paper;
  QColor ink;       // titles, curve names
  QColor mutedInk;  // tick labels, footers
  QColor grid;
  QColor axis;
  QColor reference;  // plain RoPE, trained length
  QColor shade;      // areas outside of what was trained
  QColor masked;     // future tokens of a map
  QColor hatch;      // lines over what is left out on purpose
  QColor seen;       // angles that training showed: a fill under lines
  QColor unseen;     // angles that training never showed: lines, and fills with less opacity
  QColor unseenFill;
};
PlotColors plotColors(PlotTheme theme);

enum class PlotText { Title, Label, Tick, Footer };
QFont plotFont(PlotText text);

// Background, axes, grids, fonts, margins and legend of everything that is in the plot now.
void apply(QCustomPlot* plot, PlotTheme theme);
void apply(QCPAxisRect* rect, PlotTheme theme);
void apply(QCPAxis* axis, PlotTheme theme);

// The look of curve `index`: hue, dash and marker differ together.
QPen curvePen(PlotTheme theme, std::size_t index);
QCPScatterStyle curveMarker(PlotTheme theme, std::size_t index);

// What others published: muted, dotted and hollow, so that it is never taken for measured here.
QPen publishedPen(PlotTheme theme);
QCPScatterStyle publishedMarker(PlotTheme theme, std::size_t index);
// A value of which only a lower bound is known: an arrow upwards.
QCPScatterStyle boundMarker(PlotTheme theme);

// Plain RoPE and trained lengths: grey and dashed.
QPen referencePen(PlotTheme theme);
QPen faintPen(PlotTheme theme);
// What was drawn before a flip between settings: broad and pale, below the curves.
QPen ghostPen(PlotTheme theme);

// Little is close to the paper in both themes; cells without a value (NaN) get `masked`.
QCPColorGradient amountGradient(PlotTheme theme);

// Less, equal, more: blue, the paper, orange (distinct for colour-blind eyes), even steps from the
// middle to both ends. NaN gets `masked`.
QCPColorGradient differenceGradient(PlotTheme theme);

// Behind a word: 0 is the paper, 1 as strong as text stays readable on.
QColor amountTint(PlotTheme theme, double share);
// One amount of the same ramp, 0 … 1.
QColor amountColor(PlotTheme theme, double share);
// Behind words: the same ramp, pale enough that the theme's ink is readable on all of it.
QColor amountFill(PlotTheme theme, double share);

// A text that floats on a plot with the paper behind it.
void styleNote(QCPItemText* note, PlotTheme theme);

}  // namespace ropescope::ui
