// The open document in tokens: where they lie in the shown text, and what fits the planned context.
#pragma once

#include <QObject>
#include <QString>
#include <cstdint>
#include <vector>

#include "ui/viewmodels/app_model.h"

namespace ropescope::ui {

// What the next question would need. All in tokens.
struct Ledger {
  std::int64_t document = 0;
  std::int64_t question = 0;
  std::int64_t answer = 0;
  std::int64_t planned = 0;
  std::int64_t trained = 0;
  std::int64_t total() const { return document + question + answer; }
  bool fits() const { return total() <= planned; }
};

// Character offsets (UTF-16, as QTextDocument counts: CR LF is one) at which tokens begin;
// ascending. One per token and the end of the last one. `begin` and `end` bound the document within
// `text`.
std::vector<int> tokenOffsets(const std::string& text, const std::vector<ByteSpan>& spans,
                              std::int64_t begin, std::int64_t end);

class DocumentViewModel : public QObject {
  Q_OBJECT

 public:
  explicit DocumentViewModel(AppModel& app, QObject* parent = nullptr);

  QString title() const;  // file name, or an invitation
  QString text() const;
  const std::vector<int>& offsets() const { return m_offsets; }  // see tokenOffsets()
  int tokenAt(int character) const;                              // index in the prompt; -1 outside

  Ledger ledger() const;
  QString ledgerText() const;  // "document 3,412 + question 24 + answer 128 = 3,564 of 4,096 …"
  QString fitText() const;     // what is left, or the cure
  QString readText() const;    // "read: 2,048 of 3,412 tokens"
  bool canRead() const;

  void setQuestionTokens(std::int64_t tokens);
  void read() { m_app.readDocument(); }

 signals:
  void documentChanged();
  void ledgerChanged();

 private:
  void adoptDocument();

  AppModel& m_app;
  std::vector<int> m_offsets;
  std::int64_t m_questionTokens = 0;
};

}  // namespace ropescope::ui
