// Where a part of an answer was read from, and what reads a part of the document: attention of the
// session's tokens, averaged over heads.
//
// Token i of an answer was written by the token before it: that one's attention is what was read
// for it. So a whole answer can be asked about, also when its last token was never read itself.
#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <optional>
#include <vector>

#include "core/eval/token_passages.h"
#include "core/lens/span_attention.h"
#include "ui/plots/plot_table.h"
#include "ui/viewmodels/chat_model.h"
#include "ui/viewmodels/document_view_model.h"
#include "ui/viewmodels/head_choice.h"
#include "ui/viewmodels/passage_model.h"
#include "ui/viewmodels/text_shading.h"

namespace ropescope::ui {

// Best: retrieval heads when the model's are known, the mean of all heads otherwise.

struct ReadingSelection {
  enum class Kind { Nothing, Answer, Document };
  Kind kind = Kind::Nothing;
  quint64 turn = 0;   // of the answer
  TokenRange tokens;  // of the answer, or of the document part
  bool operator==(const ReadingSelection&) const = default;
};

struct Reading {
  ReadingSelection selection;
  // Positions. The answer's are those of its tokens; the last one may not have been read.
  TokenRange document;
  TokenRange question;
  TokenRange answer;
  SpanAttention attention;
  QString heads;  // which were averaged
};

// Where the tokens of an answer begin in its text as shown (trimmed), and the end of the last one.
std::vector<int> answerOffsets(const ChatTurn& turn);

class ReadingViewModel : public QObject {
  Q_OBJECT

 public:
  // The first tokens hold most of the weight of many heads without being read (arXiv 2309.17453).
  static constexpr std::int64_t kFirstTokens = 4;

  struct Parts {
    AppModel& app;
    ChatModel& chat;
    DocumentViewModel& document;
    EngineRunner& runner;
    HeadChoice& heads;
  };
  explicit ReadingViewModel(const Parts& parts, QObject* parent = nullptr);

  // Characters of the answer as shown; empty: the whole answer.
  void selectAnswer(quint64 turn, const CharacterRange& characters);
  void selectDocument(const CharacterRange& characters);
  void clear();
  const ReadingSelection& selection() const { return m_selection; }

  HeadSetKind headsKind() const { return m_headsKind; }
  void setHeadsKind(HeadSetKind kind);

  // Null before something was selected and measured.
  const std::shared_ptr<const Reading>& reading() const { return m_reading; }
  bool isLoading() const { return m_loading; }
  QString title() const;    // what is shown: "read while “48213” was written"
  QString detail() const;   // heads, where the weight went, what was left out
  QString message() const;  // instead of a result: what to do

  PassageModel& passages() { return m_passages; }
  std::shared_ptr<const TextShades> documentShades() const { return m_shades; }
  // Of the answer that reads a selected part of the document; null otherwise.
  std::shared_ptr<const TextShades> answerShades() const { return m_answerShades; }
  quint64 shadedTurn() const { return m_shadedTurn; }

  // By position in the document part; NaN where nothing is to be drawn (the first tokens).
  std::vector<double> documentValues() const;
  PlotTable table() const;

 Q_SIGNALS:
  void changed();
  // The first result after an answer was selected: its strongest sentence.
  void strongestFound(const ropescope::ui::CharacterRange& characters);

 private:
  struct Found {
    SpanAttention attention;
    bool holdsAnswer = false;
  };

  void ask();
  void refresh();  // the same selection again, or nothing when its session is gone
  void show(const QString& error);
  void accept(const ReadingSelection& selection, const QString& heads, const Result<Found>& found);
  const ChatTurn* turnOf(const ReadingSelection& selection) const;
  HeadSet chosenHeads(QString& text) const;
  QString selectedText() const;
  void fillPassages();
  void fillShades();

  Parts m_parts;
  HeadSetKind m_headsKind = HeadSetKind::Retrieval;
  ReadingSelection m_selection;
  std::shared_ptr<const Reading> m_reading;
  PassageModel m_passages;
  std::vector<TokenPassage> m_sentences;  // of the document
  std::shared_ptr<const TextShades> m_shades;
  std::shared_ptr<const TextShades> m_answerShades;
  quint64 m_shadedTurn = 0;
  QString m_error;
  bool m_loading = false;
  bool m_isNew = false;  // the selection has no result yet
};

}  // namespace ropescope::ui
