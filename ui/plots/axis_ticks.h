// Tick positions and labels for token counts and for logarithmic values.
#pragma once

#include <optional>

#include <qcustomplot.h>

namespace ropescope::ui {

// Positions in a text: whole tokens, with the user's group separators.
class TokenTicker : public QCPAxisTicker {
 protected:
  double getTickStep(const QCPRange& range) override;
  QString getTickLabel(double tick, const QLocale& locale, QChar formatChar,
                       int precision) override;
};

// Context lengths on a logarithmic axis: powers of two as 512, 1k, 2k, 4k (1k = 1,024).
class Log2Ticker : public QCPAxisTicker {
 public:
  static QString label(double tokens);

 protected:
  QVector<double> createTickVector(double tickStep, const QCPRange& range) override;
  QVector<double> createSubTickVector(int subTickCount, const QVector<double>& ticks) override;
  QString getTickLabel(double tick, const QLocale& locale, QChar formatChar,
                       int precision) override;
};

// Values on a logarithmic axis: powers of ten over many decades, 1-2-5 over few, even steps within
// one octave or two.
class LogTicker : public QCPAxisTicker {
 public:
  static QString label(double value);
  void setMostTicks(int most) { m_most = most; }  // that have room, 2 or more

 protected:
  QVector<double> createTickVector(double tickStep, const QCPRange& range) override;
  QVector<double> createSubTickVector(int subTickCount, const QVector<double>& ticks) override;
  QString getTickLabel(double tick, const QLocale& locale, QChar formatChar,
                       int precision) override;

 private:
  std::optional<int> m_most;  // none: as many as a tall axis takes
};

// At most as many labels as an upright axis has room for, 2 to 5.
void fitTickCount(const QCPAxis& axis);

}  // namespace ropescope::ui
