// The loss of every token of the open document under the current settings: one pass on the engine,
// drawn while it goes on.
//
// The document is read as `ropescope-cli score` reads it: BOS when the tokenizer adds one, then the
// text's own tokens, without the prompt format around them.
#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <vector>

#include "core/eval/token_passages.h"
#include "ui/plots/plot_table.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/passage_model.h"
#include "ui/viewmodels/text_shading.h"

namespace ropescope::ui {

class LossViewModel : public QObject {
  Q_OBJECT

 public:
  // A sentence needs so many scored tokens to be ranked: one odd word is no hard sentence.
  static constexpr std::int64_t kLeastTokens = 5;

  LossViewModel(AppModel& app, EngineRunner& runner, QObject* parent = nullptr);

  bool canStart() const;
  bool isRunning() const { return m_running; }
  void start();
  void stop();

  // Nats, by position; NaN for the first token and for what is not scored yet.
  const std::vector<double>& losses() const { return m_losses; }
  std::int64_t scored() const { return m_scored; }
  const QString& method() const { return m_method; }  // under which they were measured
  double meanLoss() const;  // of the scored tokens; NaN when there is none
  const std::vector<int>& offsets() const { return m_offsets; }  // characters, as TextShades
  PassageModel& worst() { return m_worst; }
  std::shared_ptr<const TextShades> shades() const { return m_shades; }
  double fullColour() const { return m_fullColour; }  // nats: what guessing among all tokens costs

  QString statusText() const;  // progress, or why there is nothing
  QString caption() const;     // method, tokens, mean loss
  QString tokenText(std::int64_t position) const;
  PlotTable table() const;

 Q_SIGNALS:
  void changed();

 private:
  struct Block {
    std::int64_t first = 0;  // token that the first loss belongs to
    std::vector<double> nll;
  };

  void clear();
  void prepare();  // ids, offsets and sentences of the open document
  void take(std::uint64_t run, const std::vector<Block>& blocks);
  void finish(std::uint64_t run, const Status& status);
  void refresh();

  AppModel& m_app;
  EngineRunner& m_runner;
  std::vector<std::int32_t> m_ids;
  std::vector<int> m_offsets;
  std::vector<TokenPassage> m_sentences;
  std::vector<double> m_losses;
  std::int64_t m_scored = 0;
  std::shared_ptr<const TextShades> m_shades;
  PassageModel m_worst;
  QString m_method;  // under which they were measured
  QString m_problem;
  double m_fullColour = 1.0;
  bool m_running = false;
  std::uint64_t m_run = 0;  // a late block of an earlier run is dropped
};

}  // namespace ropescope::ui
