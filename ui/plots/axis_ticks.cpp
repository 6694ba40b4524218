#include "ui/plots/axis_ticks.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ropescope::ui {
namespace {

constexpr double kTiny = 1e-300;
constexpr int kMostTicks = 9;

// Every `multiples` times a power of ten within the range.
QVector<double> decadeTicks(const QCPRange& range, std::initializer_list<double> multiples) {
  QVector<double> ticks;
  const int first = static_cast<int>(std::floor(std::log10(std::max(range.lower, kTiny))));
  const int last = static_cast<int>(std::ceil(std::log10(std::max(range.upper, kTiny))));
  for (int exponent = first; exponent <= last; ++exponent) {
    for (const double multiple : multiples) {
      const double tick = multiple * std::pow(10.0, exponent);
      if (tick >= range.lower * (1 - 1e-9) && tick <= range.upper * (1 + 1e-9)) ticks << tick;
    }
  }
  return ticks;
}

QVector<double> everyNth(const QVector<double>& ticks, qsizetype n) {
  QVector<double> kept;
  for (qsizetype i = 0; i < ticks.size(); i += n) kept << ticks[i];
  return kept;
}

}  // namespace

double TokenTicker::getTickStep(const QCPRange& range) {
  return std::max(1.0, QCPAxisTicker::getTickStep(range));
}

// Not the plot's own locale: QCustomPlot gives it no group separators.
QString TokenTicker::getTickLabel(double tick, const QLocale&, QChar, int) {
  return QLocale().toString(static_cast<qlonglong>(std::llround(tick)));
}

QString Log2Ticker::label(double tokens) {
  const auto whole = static_cast<qlonglong>(std::llround(tokens));
  constexpr qlonglong kKilo = 1024;
  if (whole >= kKilo * kKilo && whole % (kKilo * kKilo) == 0) {
    return QStringLiteral("%1M").arg(whole / (kKilo * kKilo));
  }
  if (whole >= kKilo && whole % kKilo == 0) return QStringLiteral("%1k").arg(whole / kKilo);
  return QLocale().toString(whole);
}

QVector<double> Log2Ticker::createTickVector(double, const QCPRange& range) {
  QVector<double> ticks;
  const double first = std::ceil(std::log2(std::max(range.lower, 1.0)) - 1e-9);
  const double last = std::floor(std::log2(std::max(range.upper, 1.0)) + 1e-9);
  for (double exponent = first; exponent <= last; ++exponent) ticks << std::exp2(exponent);
  // Multiples of the step, so that panning does not renumber the axis.
  const auto step = std::max<int>(1, static_cast<int>(std::ceil((last - first + 1) / kMostTicks)));
  if (step == 1) return ticks;
  QVector<double> kept;
  for (const double tick : ticks) {
    if (std::lround(std::log2(tick)) % step == 0) kept << tick;
  }
  return kept;
}

QVector<double> Log2Ticker::createSubTickVector(int, const QVector<double>& ticks) {
  QVector<double> halves;
  for (const double tick : ticks) halves << tick * 1.5;
  return halves;
}

QString Log2Ticker::getTickLabel(double tick, const QLocale&, QChar, int) {
  return label(tick);
}

QString LogTicker::label(double value) {
  if (value >= 1e-3 && value < 1e5) {
    return QLocale().toString(value, 'g', value >= 1000 ? 6 : 4);
  }
  constexpr std::array<char16_t, 10> kSuperscripts = {u'⁰', u'¹', u'²', u'³', u'⁴',
                                                      u'⁵', u'⁶', u'⁷', u'⁸', u'⁹'};
  const int exponent = static_cast<int>(std::floor(std::log10(value) + 1e-9));
  const double mantissa = value / std::pow(10.0, exponent);
  QString power = QStringLiteral("10");
  if (exponent < 0) power += QChar(u'⁻');
  for (const QChar digit : QString::number(std::abs(exponent))) {
    power += QChar(kSuperscripts[static_cast<std::size_t>(digit.digitValue())]);
  }
  if (std::abs(mantissa - 1.0) < 1e-6) return power;
  return QLocale().toString(mantissa, 'g', 3) + QStringLiteral("·") + power;
}

QVector<double> LogTicker::createTickVector(double tickStep, const QCPRange& range) {
  if (range.lower <= 0) return {};
  const double decades = std::log10(range.upper / range.lower);
  if (decades > 0.9 && decades <= 3.2) {
    const QVector<double> ticks = decadeTicks(range, {1, 2, 5});
    if (!m_most || ticks.size() <= *m_most) return ticks;
  }
  if (decades > 0.9) {
    const QVector<double> ticks = decadeTicks(range, {1});
    const qsizetype most = m_most.value_or(kMostTicks);
    return ticks.size() <= most ? ticks : everyNth(ticks, (ticks.size() - 1) / most + 1);
  }
  return QCPAxisTicker::createTickVector(tickStep, range);
}

QVector<double> LogTicker::createSubTickVector(int subTickCount, const QVector<double>& ticks) {
  if (ticks.size() < 2) return {};
  const QCPRange range(ticks.first(), ticks.last());
  if (range.upper / range.lower < 12) {
    return QCPAxisTicker::createSubTickVector(subTickCount, ticks);
  }
  return decadeTicks(range, {2, 3, 4, 5, 6, 7, 8, 9});
}

QString LogTicker::getTickLabel(double tick, const QLocale&, QChar, int) {
  return label(tick);
}

void fitTickCount(const QCPAxis& axis) {
  constexpr double kLine = 1.5;  // heights of the font from one label to the next
  const double line = kLine * QFontMetricsF(axis.tickLabelFont()).height();
  const int most = std::clamp(static_cast<int>(axis.axisRect()->height() / line), 2, 5);
  axis.ticker()->setTickCount(most);
  if (const auto logarithmic = axis.ticker().dynamicCast<LogTicker>()) {
    logarithmic->setMostTicks(most);
  }
}

}  // namespace ropescope::ui
