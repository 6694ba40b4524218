// What the window is about: one model, one document, one method choice and the session they make;
// and four choices to flip between, each with a session of its own.
//
// Panels read it and send intents to it; the work itself happens on the engine thread.
#pragma once

#include <QObject>
#include <QString>
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/document/document.h"
#include "core/document/prompt_format.h"
#include "core/engine/engine.h"
#include "ui/viewmodels/method_slot.h"
#include "ui/worker/engine_runner.h"
#include "ui/worker/session_jobs.h"

namespace ropescope::ui {

// A document as the current model reads it.
struct OpenDocument {
  Document document;
  PromptPart part;                     // in the model's prompt format, BOS included
  std::vector<std::int32_t> plainIds;  // of the bare text, without BOS: for perplexity
  std::vector<ByteSpan> plainSpans;    // one per plain id
  std::int64_t tokens() const { return static_cast<std::int64_t>(part.ids.size()); }
};

class AppModel : public QObject {
  Q_OBJECT

 public:
  // Tokens that an automatic context leaves for a question.
  static constexpr std::int64_t kQuestionAllowance = 64;
  static constexpr int kSlots = 4;

  explicit AppModel(EngineRunner& runner, QObject* parent = nullptr);

  // Null before a model is loaded. Const and thread-safe: config(), plan(), memoryFor() and
  // tokenizer() may be asked here; everything else is the engine thread's.
  const std::shared_ptr<const Engine>& engine() const { return m_engine; }
  const std::shared_ptr<const OpenDocument>& document() const { return m_document; }
  const MethodSettings& method() const { return now().settings; }
  const std::shared_ptr<const Calibration>& calibration() const { return now().calibration; }
  // Null before a model is loaded.
  const std::shared_ptr<const rope::RotaryPlan>& plan() const { return now().plan; }
  // Tokens the next session has room for: the chosen number, or, when automatic, the smallest
  // multiple of the trained length that holds document, question and answer.
  std::int64_t plannedContext() const { return now().plannedContext; }
  std::int64_t automaticContext() const;  // what "automatic" would be now; 0 without a model
  std::int64_t answerTokens() const { return m_answerTokens; }  // reserved for one answer

  // Names the current session: another one has another serial, and a slot's comes back with it. A
  // picture asked for under another one is out of date.
  std::uint64_t sessionSerial() const { return now().recipe.serial; }
  std::int64_t position() const { return now().position(); }  // tokens in the current session
  // The id at a position of the current session; of the document where it is not read yet.
  std::optional<std::int32_t> tokenAt(std::int64_t position) const;
  // Tokens that the document and the current session begin with: all of the document unless the
  // session was given a part of it.
  std::int64_t documentTokensHeld() const;
  // Layers whose maps can be drawn.
  const std::vector<int>& captureLayers() const { return recipe().options.captureLayers; }
  bool isAnswering() const { return m_runner.isBusy(Lane::Answer); }  // or reading, or about to
  const SessionRecipe& recipe() const { return now().recipe; }
  QString title() const { return settingsTitle(now()); }  // "YaRN × 4 + PSC"

  // The settings to flip between, by index 0 … kSlots - 1. Their sessions stay in memory as long as
  // there is room, so that flipping back reads nothing again.
  const MethodSlot& slot(int index) const { return m_slots[static_cast<std::size_t>(index)]; }
  std::vector<rope::MethodChoice> slotChoices() const;  // of those that lack nothing
  int activeSlot() const { return m_active; }           // -1: the settings in use are in none
  // Puts the whole window under these settings; errorOccurred() says why it cannot be.
  void activateSlot(int index);
  void setSlot(int index, const MethodSettings& settings);  // applied when the slot is active
  // The recipe of a slot's session, planned now if it was not; what is wrong otherwise.
  Result<SessionRecipe> slotRecipe(int index);
  void readUnderSlot(int index);  // reads the document under a slot that need not be active
  // Where the files bundled for models lie, one folder per model: before a model is loaded.
  const std::filesystem::path& calibrationsFolder() const { return m_calibrations; }
  void setCalibrationsFolder(const std::filesystem::path& folder) { m_calibrations = folder; }

  void loadModel(const std::filesystem::path& folder, const QString& device = "auto",
                 const QString& dtype = "auto");
  void openDocument(const std::filesystem::path& path);
  // A document that is tokens already, as one prompt of a measurement was read.
  void openPrompt(std::shared_ptr<const OpenDocument> document);
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
  void setTokens(std::uint64_t serial, const SessionTokens& tokens);
  // What such a job calls on the engine thread: setTokens() follows here.
  std::function<void(SessionTokens)> tokenSink(std::uint64_t serial);
  void reportError(const Error& error);

 signals:
  void modelChanged();
  void documentChanged();
  void ledgerChanged();  // room for the answer
  void planChanged();    // method, factor, planned context, calibration
  // Just before planChanged(): the same document under other settings of the four. Axes stay.
  void flipped(int index);
  void slotsChanged();  // which is active, settings, problems, how far each has read
  // Chunks done; 0 when a session was dropped. Less than before: what stood behind is another text
  // now, even where a larger position follows at once.
  void sessionAdvanced(qint64 position);
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
  Result<PlannedSession> planSession(const MethodSettings& settings,
                                     const std::shared_ptr<const Calibration>& calibration) const;
  std::int64_t contextFor(const MethodSettings& settings) const;
  std::vector<int> layersToCapture(std::int64_t context) const;
  void announceSession(std::int64_t lostTokens);
  void keepWantedSessions();

  // Slots; in app_model_slots.cpp.
  PlannedSession& now() { return m_active < 0 ? m_own : slotAt(m_active).session; }
  const PlannedSession& now() const { return m_active < 0 ? m_own : slot(m_active).session; }
  MethodSlot& slotAt(int index) { return m_slots[static_cast<std::size_t>(index)]; }
  int slotOf(const MethodSettings& settings) const;  // -1: none
  void advance(PlannedSession& session, const SessionTokens& tokens);
  void readUnder(const SessionRecipe& recipe, std::function<void(const PrefillResult&)> done);
  void takeDefaultSlots();
  void forgetSlotSessions();  // all but the active one
  void refreshSlots();        // plans and problems of those without a session
  void loadSlotCalibrations();
  Status planSlot(int index);  // a new session, unless the one it has still fits
  bool stillFits(const PlannedSession& session) const;
  void flipTo(int index);
  void askWhatIsKept();
  void adoptKept(const std::vector<KeptSession>& kept);

  EngineRunner& m_runner;
  std::filesystem::path m_calibrations;
  std::shared_ptr<const Engine> m_engine;
  std::shared_ptr<const OpenDocument> m_document;
  PlannedSession m_own;  // in use while no slot is
  std::array<MethodSlot, kSlots> m_slots;
  int m_active = -1;
  // Of slots, as they were read; a file that cannot be used stays as its sentence.
  std::map<std::filesystem::path, Result<std::shared_ptr<const Calibration>>> m_slotCalibrations;
  std::uint64_t m_lastSerial = 0;
  std::int64_t m_answerTokens = 128;
  std::uint64_t m_choices = 0;  // of a method so far; a calibration may arrive after a newer one
  int m_captureLayer = 0;
};

}  // namespace ropescope::ui
