#include "ui/text/error_text.h"

#include <QCoreApplication>

namespace ropescope::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("ErrorText", text); }

QString introduction(ErrorCode code) {
  switch (code) {
    case ErrorCode::Cancelled: return tr("Stopped");
    case ErrorCode::InvalidArgument: return tr("This setting does not work");
    case ErrorCode::NotFound: return tr("Something is not there");
    case ErrorCode::CorruptFile: return tr("This file cannot be used");
    case ErrorCode::Unsupported: return tr("This is not supported");
    case ErrorCode::OutOfMemory: return tr("Not enough memory");
    case ErrorCode::Device: return tr("The device refused");
    case ErrorCode::Internal: return tr("RopeScope broke a promise of its own");
  }
  return tr("Something went wrong");
}

}  // namespace

QString errorSentence(const Error& error) {
  const QString message = QString::fromStdString(error.message).trimmed();
  QString sentence = introduction(error.code);
  if (!message.isEmpty()) sentence += QStringLiteral(": ") + message;
  if (!sentence.endsWith(QLatin1Char('.'))) sentence += QLatin1Char('.');
  return sentence;
}

}  // namespace ropescope::ui
