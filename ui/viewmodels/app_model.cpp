#include "ui/viewmodels/app_model.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/tokenizer/tokenizer.h"
#include "ui/text/error_text.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

// Capture of all layers may take so much; beyond it only one layer is kept.
constexpr std::int64_t kCaptureBytes = std::int64_t{2} << 30;

Result<std::shared_ptr<const OpenDocument>> encoded(const EngineRoom& room, Document document) {
  auto open = std::make_shared<OpenDocument>();
  open->document = std::move(document);
  if (room.engine) {
    const auto tokenizer = room.engine->tokenizer();
    if (!tokenizer) return tokenizer.error();
    auto part = documentPart(room.engine->promptFormat(), **tokenizer, open->document.text);
    if (!part) return part.error();
    open->part = *std::move(part);
    Encoding plain = (*tokenizer)->encode(open->document.text);
    open->plainIds = std::move(plain.ids);
    open->plainSpans = std::move(plain.spans);
  }
  return std::shared_ptr<const OpenDocument>(std::move(open));
}

}  // namespace

AppModel::AppModel(EngineRunner& runner, QObject* parent) : QObject(parent), m_runner(runner) {
  connect(&m_runner, &EngineRunner::busyChanged, this, &AppModel::busyChanged);
  connect(&m_runner, &EngineRunner::busyChanged, this, &AppModel::askWhatIsKept);
}

void AppModel::loadModel(const std::filesystem::path& folder, const QString& device,
                         const QString& dtype) {
  m_runner.stopAll();
  const EngineOptions options{
      .model = folder, .device = device.toStdString(), .dtype = dtype.toStdString()};
  using Loaded = std::shared_ptr<const Engine>;
  m_runner.startLong<Loaded>(
      this, Lane::Load, SameLane::Replace,
      [options](EngineRoom& room, const JobControl& job) -> Result<Loaded> {
        auto engine = Engine::load(options, job);
        if (!engine) return engine.error();  // the model before stays in use
        keepOnly(room, {});
        room.engine = *engine;
        return *engine;
      },
      [this](const Result<Loaded>& engine) {
        if (!engine) return reportError(engine.error());
        adoptEngine(*engine);
      });
}

void AppModel::adoptEngine(std::shared_ptr<const Engine> engine) {
  m_engine = std::move(engine);
  const auto before = std::exchange(m_document, nullptr);
  MethodSettings settings;
  settings.rope = m_engine->config().rope;
  m_captureLayer = m_engine->config().layers / 2;
  m_active = -1;
  m_own = {};
  takeDefaultSlots();
  emit modelChanged();
  ++m_choices;
  startSession(settings, nullptr);
  refreshSlots();
  for (const auto& warning : m_engine->config().warnings) {
    emit notice(QString::fromStdString(warning));
  }
  if (!before || m_runner.isBusy(Lane::Document)) return;  // another one is on its way
  encode([document = before->document] { return Result<Document>(document); });
}

void AppModel::openDocument(const std::filesystem::path& path) {
  m_runner.stop(Lane::Answer);
  encode([path] { return ropescope::readDocument(path); });
}

void AppModel::openPrompt(std::shared_ptr<const OpenDocument> document) {
  m_runner.stop(Lane::Answer);
  m_runner.stop(Lane::Document);  // a file that is on its way must not come after it
  adoptDocument(std::move(document));
}

void AppModel::encode(std::function<Result<Document>()> source) {
  using Opened = std::shared_ptr<const OpenDocument>;
  m_runner.startLong<Opened>(
      this, Lane::Document, SameLane::Replace,
      [source = std::move(source)](EngineRoom& room, const JobControl&) -> Result<Opened> {
        auto document = source();
        if (!document) return document.error();
        return encoded(room, *std::move(document));
      },
      [this](const Result<Opened>& opened) {
        if (!opened) return reportError(opened.error());
        adoptDocument(*opened);
      });
}

void AppModel::adoptDocument(std::shared_ptr<const OpenDocument> document) {
  m_document = std::move(document);
  emit documentChanged();
  if (!m_document->document.notice.empty()) {
    emit notice(QString::fromStdString(m_document->document.notice));
  }
  if (!m_engine) return;
  forgetSlotSessions();
  startSession(method(), calibration());
  refreshSlots();
}

void AppModel::applyMethod(const MethodSettings& settings) {
  if (!m_engine) return;
  if (const int slot = slotOf(settings); slot >= 0 && slot != m_active) return activateSlot(slot);
  if (settings.calibrationFile.empty()) {
    if (startSession(settings, nullptr)) ++m_choices;
    return;
  }
  if (calibration() && settings.calibrationFile == method().calibrationFile) {
    if (startSession(settings, calibration())) ++m_choices;
    return;
  }
  using Loaded = std::shared_ptr<const Calibration>;
  m_runner.stop(Lane::Answer);  // it would hold up the file
  m_runner.startLong<Loaded>(
      this, Lane::Load, SameLane::Queue,
      [path = settings.calibrationFile](EngineRoom& room, const JobControl&) -> Result<Loaded> {
        if (!room.engine) return Error{ErrorCode::InvalidArgument, "no model is loaded"};
        return room.engine->loadCalibration(path);
      },
      [this, settings, choice = ++m_choices](const Result<Loaded>& loaded) {
        if (choice != m_choices) return;  // a newer choice stands
        if (!loaded) return reportError(loaded.error());
        if (!startSession(settings, *loaded)) return;
        for (const auto& warning : (*loaded)->info().warnings) {
          emit notice(QString::fromStdString(warning));
        }
      });
}

Result<PlannedSession> AppModel::planSession(
    const MethodSettings& settings, const std::shared_ptr<const Calibration>& calibration) const {
  const std::int64_t context = contextFor(settings);
  auto plan = m_engine->plan(settings.rope, context);
  if (!plan) return plan.error();
  PlannedSession planned{.settings = settings, .calibration = calibration};
  planned.plan = std::make_shared<const rope::RotaryPlan>(*std::move(plan));
  planned.plannedContext = context;
  planned.recipe.options = SessionOptions{.rope = settings.rope,
                                          .contextTokens = context,
                                          .calibration = calibration,
                                          .pscStrength = settings.pscStrength,
                                          .lora = settings.lora,
                                          .captureLayers = layersToCapture(context)};
  return planned;
}

bool AppModel::startSession(const MethodSettings& settings,
                            const std::shared_ptr<const Calibration>& calibration) {
  auto planned = planSession(settings, calibration);
  if (!planned) {
    reportError(planned.error());
    return false;
  }
  planned->recipe.serial = ++m_lastSerial;
  const bool staysInSlot = m_active >= 0 && settings == method();
  const bool lost = m_active < 0 || staysInSlot;
  const std::int64_t lostTokens = lost ? position() : 0;
  m_runner.stop(Lane::Answer);
  if (!staysInSlot) m_active = -1;
  now() = *std::move(planned);
  announceSession(lostTokens);
  return true;
}

void AppModel::announceSession(std::int64_t lostTokens) {
  // An old cache goes as soon as the job that uses it has ended; it never serves the new plan.
  keepWantedSessions();
  emit planChanged();
  emit sessionAdvanced(position());
  emit slotsChanged();
  if (lostTokens == 0) return;
  emit notice(
      tr("New session: what was read under the old settings was dropped, because cached "
         "keys are rotated with them. The next question reads the document again."));
}

std::int64_t AppModel::neededContext(std::int64_t questionTokens) const {
  return (m_document ? m_document->tokens() : 0) + questionTokens + m_answerTokens;
}

std::int64_t AppModel::contextFor(const MethodSettings& settings) const {
  return settings.contextTokens > 0 ? settings.contextTokens : automaticContext();
}

std::int64_t AppModel::automaticContext() const {
  if (!m_engine) return 0;
  const std::int64_t trained = std::max<std::int64_t>(1, m_engine->config().trainedLength);
  const std::int64_t needed = neededContext(kQuestionAllowance);
  return std::max<std::int64_t>(1, (needed + trained - 1) / trained) * trained;
}

std::vector<int> AppModel::layersToCapture(std::int64_t context) const {
  const int layers = m_engine->config().layers;
  if (m_engine->memoryFor(context).capturePerLayer * layers > kCaptureBytes) {
    return {std::clamp(m_captureLayer, 0, layers - 1)};
  }
  std::vector<int> all(static_cast<std::size_t>(layers));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

void AppModel::setAnswerTokens(std::int64_t tokens) {
  if (tokens == m_answerTokens || tokens < 1) return;
  m_answerTokens = tokens;
  // Keep the session, and what it has read, while the answer still fits.
  if (m_engine && contextFor(method()) > plannedContext()) startSession(method(), calibration());
  refreshSlots();
  emit ledgerChanged();
}

void AppModel::setCaptureLayer(int layer) {
  m_captureLayer = layer;
  const auto& kept = captureLayers();
  if (!m_engine || std::find(kept.begin(), kept.end(), layer) != kept.end()) return;
  startSession(method(), calibration());
}

void AppModel::readDocument() {
  if (const QString why = refusal(0); !why.isEmpty()) {
    emit errorOccurred(why);
    return;
  }
  readUnder(recipe(), [this](const PrefillResult& read) {
    emit notice(tr("The document is read: %1 tokens.").arg(tokensText(read.promptTokens)));
  });
}

void AppModel::readUnder(const SessionRecipe& recipe,
                         std::function<void(const PrefillResult&)> done) {
  m_runner.startLong<PrefillResult>(
      this, Lane::Answer, SameLane::Queue,
      [recipe, document = m_document, tokens = tokenSink(recipe.serial)](EngineRoom& room,
                                                                         const JobControl& job) {
        return readParts(room, recipe, {document->part.ids}, {tokens}, job);
      },
      [this, done = std::move(done)](const Result<PrefillResult>& read) {
        if (!read) return reportError(read.error());
        if (done) done(*read);
      });
}

std::function<void(SessionTokens)> AppModel::tokenSink(std::uint64_t serial) {
  return m_runner.stream<SessionTokens>(
      this, [this, serial](const SessionTokens& held) { setTokens(serial, held); });
}

QString AppModel::refusal(std::int64_t questionTokens) const {
  return refusalOfPart(m_document ? m_document->tokens() : 0, questionTokens);
}

QString AppModel::refusalOfPart(std::int64_t documentTokens, std::int64_t questionTokens) const {
  if (!m_engine) return tr("No model is loaded; open a model folder first.");
  if (!m_document) return tr("No document is open; open a text file first.");
  if (m_document->part.ids.empty()) {
    return tr("The document has not been turned into tokens; this model needs a tokenizer.");
  }
  const std::int64_t needed = documentTokens + questionTokens + m_answerTokens;
  if (needed <= plannedContext()) return {};
  return tr("Document, question and answer need %1 tokens, %2 are planned. Nothing is cut: plan at "
            "least %1 tokens in the method panel, or shorten the answer.")
      .arg(tokensText(needed), tokensText(plannedContext()));
}

void AppModel::reportError(const Error& error) {
  if (error.code != ErrorCode::Cancelled) emit errorOccurred(errorSentence(error));
}

}  // namespace ropescope::ui
