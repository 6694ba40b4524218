// Makes an experiment of what the window holds: document, questions, answers, curves and pooled
// maps. What exists is taken over; nothing is computed again. Knows no widget.
#pragma once

#include <QObject>
#include <QStringList>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/experiment/experiment.h"
#include "core/lens/head_set.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/chat_model.h"

namespace ropescope::ui {

struct MadeExperiment {
  experiment::Experiment experiment;
  QStringList leftOut = {};  // sentences: what the window holds and the file does not, and why
};

// Perplexity curves as they stand, and what they were measured on.
struct MeasuredCurves {
  std::vector<PerplexityCurve> curves = {};
  PerplexityConfig config = {};
  std::shared_ptr<const OpenDocument> document = {};  // open when they were started
  QStringList documents = {};                         // names of all that were measured
};

// What the window holds beside its models.
struct ExperimentSources {
  std::function<MeasuredCurves()> curves;
  std::function<std::vector<ChatTurn>()> compared;  // answers of the comparison
  std::function<QStringList()> others;              // sentences: what no file can hold
};

class ExperimentMaker : public QObject {
  Q_OBJECT

 public:
  ExperimentMaker(AppModel& app, ChatModel& chat, EngineRunner& runner, ExperimentSources sources,
                  QObject* parent = nullptr);

  // Lets the engine thread hash the files and draw the map of this head over the document, from
  // what the session captured; without a read document there is no map. Then calls `done`.
  void prepare(HeadRef head, std::function<void()> done);
  // After prepare(). Errors: InvalidArgument (no model, no document), those of the tokenizer's
  // file.
  Result<MadeExperiment> make() const;

 private:
  struct Prepared {
    Result<experiment::Plan> described = Error{ErrorCode::InvalidArgument, "no model is loaded"};
    std::string setting = {};  // that the map belongs to
    std::vector<AttentionMap> maps = {};
    std::map<std::filesystem::path, std::string> hashes = {};
  };
  void adopt(const Prepared& prepared);
  std::vector<ChatTurn> turns() const;
  std::vector<std::filesystem::path> calibrationFiles() const;

  AppModel& m_app;
  ChatModel& m_chat;
  EngineRunner& m_runner;
  ExperimentSources m_sources;
  quint64 m_requests = 0;
  Result<experiment::Plan> m_described;                     // of the engine in use
  std::map<std::string, std::vector<AttentionMap>> m_maps;  // by setting; of the open document
  std::map<std::filesystem::path, std::string> m_hashes;    // SHA-256 of calibration files
};

// How a file names these settings: with the factor that was in use, whoever chose it.
Result<std::string> settingText(const MethodSettings& settings, const rope::RotaryPlan& plan);

}  // namespace ropescope::ui
