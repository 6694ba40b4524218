// What the window is about: one model, one document, one method choice and the session they make.
//
// Panels read it and send intents to it; the work itself happens on the engine thread.
#pragma once

#include <QObject>
#include <QString>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "core/document/document.h"
#include "core/document/prompt_format.h"
#include "core/engine/engine.h"
#include "ui/worker/engine_runner.h"
#include "ui/worker/session_jobs.h"

namespace ropescope::ui {

// A document as the current model reads it.
struct OpenDocument {
  Document document;
  PromptPart part;                     // in the model's prompt format, BOS included
  std::vector<std::int32_t> plainIds;  // of the bare text, without BOS: for perplexity
  std::int64_t tokens() const { return static_cast<std::int64_t>(part.ids.size()); }
};

// What the method panel edits. Applied as a whole: every change starts a new session.
struct MethodSettings {
  rope::MethodChoice rope;
  std::int64_t contextTokens = 0;         // planned length; 0: automatic, see AppModel
  std::filesystem::path calibrationFile;  // empty: none
  double pscStrength = 1.0;
  bool lora = true;
};
bool operator==(const MethodSettings& a, const MethodSettings& b);

class AppModel : public QObject {
  Q_OBJECT

 public:
  // Tokens that an automatic context leaves for a question.
  static constexpr std::int64_t kQuestionAllowance = 64;

  explicit AppModel(EngineRunner& runner, QObject* parent = nullptr);

  // Null before a model is loaded. Const and thread-safe: config(), plan(), memoryFor() and
  // tokenizer() may be asked here; everything else is the engine thread's.
  const std::shared_ptr<const Engine>& engine() const { return m_engine; }
  const std::shared_ptr<const OpenDocument>& document() const { return m_document; }
  const MethodSettings& method() const { return m_method; }
  const std::shared_ptr<const Calibration>& calibration() const { return m_calibration; }
  // Null before a model is loaded.
  const std::shared_ptr<const rope::RotaryPlan>& plan() const { return m_plan; }
  // Tokens the next session has room for: the chosen number, or, when automatic, the smallest
  // multiple of the trained length that holds document, question and answer.
  std::int64_t plannedContext() const { return m_plannedContext; }
  std::int64_t automaticContext() const;  // what "automatic" would be now; 0 without a model
  std::int64_t answerTokens() const { return m_answerTokens; }  // reserved for one answer

  // Changes with every new session. A picture asked for under an older one is out of date.
  std::uint64_t sessionSerial() const { return m_recipe.serial; }
  std::int64_t position() const { return m_position; }  // tokens read into the current session
  // Layers whose maps can be drawn.
  const std::vector<int>& captureLayers() const { return m_recipe.options.captureLayers; }
  bool isAnswering() const { return m_runner.isBusy(Lane::Answer); }  // or reading, or about to
  const SessionRecipe& recipe() const { return m_recipe; }

  void loadModel(const std::filesystem::path& folder, const QString& device = "auto",
                 const QString& dtype = "auto");
  void openDocument(const std::filesystem::path& path);
  // A wrong choice is reported by errorOccurred() and changes nothing.
  void applyMethod(const MethodSettings& settings);
  void setAnswerTokens(std::int64_t tokens);
  // Only when the model is too large to keep all layers: which one to keep from the next reading
  // on.
  void setCaptureLayer(int layer);
  void readDocument();  // fills the session with the document, so that the map can be drawn
  // Why a question of so many tokens cannot be asked now, with the cure; empty: it can.
  QString refusal(std::int64_t questionTokens) const;
  // The same about the document's first tokens alone.
  QString refusalOfPart(std::int64_t documentTokens, std::int64_t questionTokens) const;
  std::int64_t neededContext(std::int64_t questionTokens) const;  // document + question + answer

  // From the job that reads or answers; GUI thread.
  void setPosition(std::uint64_t serial, std::int64_t position);
  void reportError(const Error& error);

 signals:
  void modelChanged();
  void documentChanged();
  void ledgerChanged();                   // room for the answer
  void planChanged();                     // method, factor, planned context, calibration
  void sessionAdvanced(qint64 position);  // chunks done; 0 when a session was dropped
  void busyChanged();
  void errorOccurred(const QString& sentence);
  void notice(const QString& sentence);  // for the status bar

 private:
  void adoptEngine(std::shared_ptr<const Engine> engine);
  void encode(std::function<Result<Document>()> source);
  void adoptDocument(std::shared_ptr<const OpenDocument> document);
  // False: the plan was refused, nothing changed.
  bool startSession(const MethodSettings& settings,
                    const std::shared_ptr<const Calibration>& calibration);
  std::int64_t contextFor(const MethodSettings& settings) const;
  std::vector<int> layersToCapture(std::int64_t context) const;

  EngineRunner& m_runner;
  std::shared_ptr<const Engine> m_engine;
  std::shared_ptr<const OpenDocument> m_document;
  std::shared_ptr<const Calibration> m_calibration;
  std::shared_ptr<const rope::RotaryPlan> m_plan;
  MethodSettings m_method;
  SessionRecipe m_recipe;
  std::int64_t m_plannedContext = 0;
  std::int64_t m_answerTokens = 128;
  std::int64_t m_position = 0;
  std::uint64_t m_choices = 0;  // of a method so far; a calibration may arrive after a newer one
  int m_captureLayer = 0;
};

}  // namespace ropescope::ui
