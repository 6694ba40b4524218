#include "ui/viewmodels/token_piece.h"

#include "core/tokenizer/tokenizer.h"

namespace ropescope::ui {

QString tokenPiece(const AppModel& app, std::int64_t position) {
  const auto id = app.tokenAt(position);
  if (!id || !app.engine()) return {};
  const auto tokenizer = app.engine()->tokenizer();
  if (!tokenizer) return {};
  QString piece = QString::fromStdString((*tokenizer)->piece(*id));
  if (piece == QStringLiteral("<0x0A>")) return QStringLiteral("↵");
  return piece.replace(u'▁', u'␣').replace(u'\n', u'↵');
}

}  // namespace ropescope::ui
