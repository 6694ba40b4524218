// One question under the four settings of the slots: what each answers, as an item model of four
// rows. Knows no widget.
#pragma once

#include <QAbstractListModel>
#include <QString>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "ui/plots/plot_table.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/chat_model.h"
#include "ui/worker/compare_job.h"

namespace ropescope::ui {

// One token of an answer as it is shown.
struct ComparedToken {
  QString text;
  std::int32_t id = 0;
  double logProbability = 0.0;  // nats
  bool differs = false;         // has no counterpart in the reference pane's answer
};

class CompareModel : public QAbstractListModel {
  Q_OBJECT

 public:
  enum Role { AnswerRole = Qt::UserRole + 1, DetailRole, ProblemRole, StageRole };
  static constexpr int kPanes = AppModel::kSlots;

  CompareModel(AppModel& app, ChatModel& chat, EngineRunner& runner, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;

  // Under every slot that can work; the others say why. Sampling is the chat's.
  void ask(const QString& question);
  void stop() { m_runner.stop(Lane::Answer); }
  bool isBusy() const { return m_running > 0; }
  const QString& question() const { return m_question; }

  void setReference(int pane);  // whose tokens the others are compared with
  int reference() const { return m_reference; }
  std::vector<ComparedToken> tokens(int pane) const;
  const PaneProgress& progress(int pane) const { return at(pane).progress; }
  bool hasAnswer(int pane) const { return !at(pane).progress.answer.ids.empty(); }
  std::optional<double> meanLogProbability(int pane) const;  // nats per token
  std::vector<ChatTurn> turns() const;                       // finished answers, as the chat's
  QString statusText() const;                                // together or in turn, and why
  PlotTable table() const;                                   // one row per pane
  PlotTable tokenTable() const;                              // one row per token and pane
  std::string markdown() const;
  std::string json() const;
  Status exportTo(const std::filesystem::path& path) const;  // by the ending: json, csv or Markdown
  Status exportTokens(const std::filesystem::path& path) const;  // CSV

 signals:
  void busyChanged();
  void statusChanged();

 private:
  struct Pane {
    QString title;  // of the settings that were asked
    MethodSettings settings;
    std::shared_ptr<const rope::RotaryPlan> plan;  // that answers; null: nothing does
    GenerationConfig generation;
    QString problem;  // why there is no answer
    bool asked = false;
    PaneProgress progress;
  };
  Pane& at(int pane) { return m_panes[static_cast<std::size_t>(pane)]; }
  const Pane& at(int pane) const { return m_panes[static_cast<std::size_t>(pane)]; }
  std::vector<PaneOrder> orders(const QString& question);
  void start(std::vector<PaneOrder> orders);
  void adopt(std::size_t pane, const PaneProgress& progress);
  QString detail(const Pane& pane) const;
  void changed(int first, int last);

  AppModel& m_app;
  ChatModel& m_chat;
  EngineRunner& m_runner;
  std::array<Pane, kPanes> m_panes;
  QString m_question;
  QString m_status;
  int m_reference = 0;
  int m_running = 0;
};

// For every token of `ids` whether it stands outside of a longest common subsequence with
// `reference`.
std::vector<bool> tokenDifference(const std::vector<std::int32_t>& reference,
                                  const std::vector<std::int32_t>& ids);

}  // namespace ropescope::ui
