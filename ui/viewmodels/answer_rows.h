// The queries that wrote the current answer; before there is one, the last tokens that were read.
#pragma once

#include <QObject>
#include <QString>
#include <cstdint>
#include <map>
#include <vector>

#include "core/probe/attention_map.h"
#include "ui/viewmodels/chat_model.h"

namespace ropescope::ui {

class AnswerRows : public QObject {
  Q_OBJECT

 public:
  AnswerRows(AppModel& app, ChatModel& chat, QObject* parent = nullptr);

  struct Rows {
    TokenRange queries;  // empty: nothing has been read
    QString whose;       // "the answer's"
    QString what;        // "the answer's 5 tokens"
  };
  Rows rows() const;

 Q_SIGNALS:
  void changed();  // rows(), or what the session holds

 private:
  void takeAnswer(int turn);
  TokenRange answerRows() const;

  AppModel& m_app;
  ChatModel& m_chat;
  struct Written {
    std::int64_t promptTokens = 0;
    std::vector<std::int32_t> ids;
  };
  std::map<std::uint64_t, Written> m_answers;  // by the session that wrote them
};

}  // namespace ropescope::ui
