#include "ui/text/number_text.h"

#include <QCoreApplication>
#include <QLocale>
#include <cmath>

#include "core/base/memory_size.h"

namespace ropescope::ui {
namespace {

QString tr(const char* text) {
  return QCoreApplication::translate("NumberText", text);
}

}  // namespace

QString tokensText(std::int64_t tokens) {
  return QLocale().toString(static_cast<qlonglong>(tokens));
}

QString memoryText(std::int64_t bytes) {
  return QString::fromStdString(bytesText(bytes));
}

QString secondsText(double seconds) {
  if (seconds < 60.0) return tr("%1 s").arg(QLocale().toString(seconds, 'f', seconds < 10 ? 1 : 0));
  const auto whole = static_cast<qlonglong>(std::llround(seconds));
  return tr("%1 min %2 s").arg(whole / 60).arg(whole % 60);
}

QString rateText(std::int64_t tokens, double seconds) {
  if (!(seconds > 0.0)) return {};
  const double rate = static_cast<double>(tokens) / seconds;
  return tr("%1 tokens/s").arg(QLocale().toString(rate, 'f', rate < 100 ? 1 : 0));
}

QString ratioText(double ratio) {
  const bool whole = std::abs(ratio - std::round(ratio)) < 0.005;
  return QLocale().toString(ratio, 'f', whole ? 0 : (ratio < 10 ? 1 : 0));
}

}  // namespace ropescope::ui
