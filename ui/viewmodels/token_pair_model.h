// What the current session holds of the chosen two tokens at the chosen head.
//
// Asks the engine only while a view is active; keeps what the session before said of the same
// tokens.
#pragma once

#include <QObject>
#include <QString>
#include <QTimer>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/lens/token_pair.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/head_choice.h"
#include "ui/viewmodels/token_choice.h"
#include "ui/worker/engine_runner.h"

namespace ropescope::ui {

// The window's shared objects that views of single tokens look at.
struct LensParts {
  AppModel& app;
  EngineRunner& runner;
  HeadChoice& heads;
  TokenChoice& tokens;
};

struct PairReading {
  TokenPair pair;
  rope::RotaryPlan plan;  // of the session that was read
  QString title;          // "YaRN × 4 + PSC"
};

class TokenPairModel : public QObject {
  Q_OBJECT

 public:
  // `key` names the view in the engine's queue: one request of it waits at a time.
  TokenPairModel(LensParts parts, const QString& key, QObject* parent = nullptr);

  const LensParts& parts() const { return m_parts; }
  void setActive(bool active);  // a hidden view asks for nothing
  // Also scores the query's row with these changes; none: does not.
  void setChange(std::optional<RowChange> change);
  const std::optional<RowChange>& change() const { return m_change; }

  // Null: message() says what is missing.
  const std::shared_ptr<const PairReading>& reading() const { return m_reading; }
  // The same tokens and head in the session before the last switch of method; null: none.
  std::shared_ptr<const PairReading> before() const;
  // The row under change(); none while it is computed.
  const std::optional<RowScore>& changedRow() const { return m_changedRow; }

  bool isLoading() const { return m_waiting; }
  QString message() const;
  QString tokenName(std::int64_t position) const;  // "812 “␣born”"
  QString pairText() const;                        // both tokens and their distance
  std::int64_t tokens() const;                     // that can be chosen
  bool isExact() const;  // layer 0: another rotation of these contents is no approximation
  // The key that the query reads most, its first tokens and the query itself left out.
  void chooseStrongestKey();
  void chooseExample();  // the last token of the document and its strongest key

 Q_SIGNALS:
  void changed();         // reading, before, row, message
  void sessionChanged();  // another plan or model

 private:
  struct Answer {
    TokenPair pair;
    std::optional<RowScore> changedRow;
  };
  PairRequest wanted() const;
  PairRequest shown() const;  // what was read, else what is wanted
  bool canAsk() const;
  void startSession();
  void askSoon();
  void ask();
  void accept(const Result<Answer>& answer);

  LensParts m_parts;
  QString m_key;
  bool m_active = false;
  bool m_waiting = false;
  bool m_stale = true;  // something changed since the last request
  std::optional<RowChange> m_change;
  std::shared_ptr<const PairReading> m_reading;
  std::shared_ptr<const PairReading> m_before;
  std::optional<RowScore> m_changedRow;
  QString m_error;
  QTimer m_askTimer;
};

}  // namespace ropescope::ui
