#include "ui/viewmodels/experiment_maker.h"

#include <QCoreApplication>
#include <algorithm>
#include <set>

#include "core/base/file_io.h"
#include "core/base/sha256.h"
#include "core/eval/curve_text.h"
#include "core/experiment/experiment_run.h"
#include "ui/text/number_text.h"
#include "ui/viewmodels/perplexity_inputs.h"

namespace ropescope::ui {
namespace {

using experiment::Experiment;
using experiment::MapChoice;
using experiment::RecordedAnswer;
using experiment::RecordedSetting;

constexpr int kMapCells = 256;  // of a side: 256 KiB a map

QString tr(const char* text) {
  return QCoreApplication::translate("ExperimentMaker", text);
}

bool sameSampling(const GenerationConfig& a, const GenerationConfig& b) {
  return a.maxNewTokens == b.maxNewTokens && a.temperature == b.temperature && a.topP == b.topP &&
         a.topK == b.topK && a.seed == b.seed && a.stopAtEos == b.stopAtEos;
}

bool sameMap(const MapChoice& choice, const MapRequest& request) {
  return choice.layer == request.layer && choice.head == request.head;
}

RecordedAnswer recordedAnswer(const ChatTurn& turn) {
  return {.text = turn.result.text,
          .tokens = turn.result.tokens,
          .finishReason = std::string(finishReasonName(turn.result.finishReason)),
          .ends = turn.result.ends,
          .seconds = turn.result.decodeSeconds};
}

// Puts one experiment together: settings in the order in which they come up.
class Builder {
 public:
  Builder(experiment::Plan plan, const std::map<std::filesystem::path, std::string>& hashes)
      : m_hashes(hashes) {
    m_made.experiment.program = QCoreApplication::applicationVersion().toStdString();
    m_made.experiment.plan = std::move(plan);
  }

  experiment::Plan& plan() { return m_made.experiment.plan; }
  void leaveOut(const QString& sentence) { m_made.leftOut << sentence; }

  // Null when the setting cannot be written into a file.
  RecordedSetting* setting(const MethodSettings& settings, const rope::RotaryPlan& rotation) {
    const auto text = settingText(settings, rotation);
    if (!text) {
      leaveOut(QString::fromStdString(text.error().message));
      return nullptr;
    }
    auto& results = m_made.experiment.results;
    for (auto& result : results) {
      if (result.setting == *text) return &result;
    }
    RecordedSetting result{.setting = *text,
                           .method = rotation.method,
                           .factor = rotation.context.factor,
                           .attentionFactor = rotation.attentionFactor,
                           .invFreq = rotation.invFreq,
                           .note = rotation.note};
    if (const auto hash = m_hashes.find(settings.calibrationFile); hash != m_hashes.end()) {
      result.calibrationHash = hash->second;
    }
    results.push_back(std::move(result));
    plan().settings.push_back(*text);
    return &results.back();
  }

  void addAnswers(const std::vector<ChatTurn>& turns,
                  const std::shared_ptr<const OpenDocument>& document);
  void addCurves(const MeasuredCurves& measured, const OpenDocument& document,
                 const Engine& engine);
  void addMaps(const std::map<std::string, std::vector<AttentionMap>>& maps);
  MadeExperiment finish(std::int64_t documentTokens);

 private:
  std::size_t question(const QString& text);
  void addCurve(const PerplexityCurve& curve, const Engine& engine);

  const std::map<std::filesystem::path, std::string>& m_hashes;
  MadeExperiment m_made;
};

std::size_t Builder::question(const QString& text) {
  auto& questions = plan().questions;
  const auto found = std::find(questions.begin(), questions.end(), text.toStdString());
  if (found != questions.end()) return static_cast<std::size_t>(found - questions.begin());
  questions.push_back(text.toStdString());
  return questions.size() - 1;
}

// One sampling for all: that of the newest answer. A later answer replaces an earlier one.
void Builder::addAnswers(const std::vector<ChatTurn>& turns,
                         const std::shared_ptr<const OpenDocument>& document) {
  int cut = 0;
  int others = 0;
  std::vector<const ChatTurn*> taken;
  for (auto turn = turns.rbegin(); turn != turns.rend(); ++turn) {
    if (turn->state != ChatTurn::State::Finished || !turn->plan) continue;
    if (turn->cutTokens > 0) {
      ++cut;
    } else if (turn->document != document || turn->result.finishReason == FinishReason::Stopped ||
               (!taken.empty() && !sameSampling(turn->generation, taken.front()->generation))) {
      ++others;
    } else {
      taken.push_back(&*turn);
    }
  }
  if (!taken.empty()) plan().generation = taken.front()->generation;
  std::reverse(taken.begin(), taken.end());
  for (const ChatTurn* turn : taken) {
    RecordedSetting* result = setting(turn->settings, *turn->plan);
    if (result == nullptr) continue;
    const std::size_t index = question(turn->question);
    if (result->answers.size() <= index) result->answers.resize(index + 1);
    result->answers[index] = recordedAnswer(*turn);
    result->seconds += turn->result.prefillSeconds + turn->result.decodeSeconds;
  }
  if (cut > 0) leaveOut(tr("Answers about a cut document: %1.").arg(cut));
  if (others > 0) {
    leaveOut(
        tr("Answers about another document, stopped, or with another sampling than the newest: "
           "%1.")
            .arg(others));
  }
}

// A file's plan measures one pass over its own document; all else would be run again as something
// else than it was.
void Builder::addCurves(const MeasuredCurves& measured, const OpenDocument& document,
                        const Engine& engine) {
  const bool empty = std::all_of(measured.curves.begin(), measured.curves.end(),
                                 [](const PerplexityCurve& curve) { return curve.points.empty(); });
  if (empty) return;
  const bool ofDocument = measured.document.get() == &document && !document.plainIds.empty() &&
                          measured.documents.size() == 1;
  if (!ofDocument || measured.config.protocol != Protocol::OnePass) {
    return leaveOut(
        tr("The curves of %1 under “%2”: an experiment keeps one pass over its own document alone.")
            .arg(measured.documents.join(QStringLiteral(", ")),
                 protocolTitle(measured.config.protocol)));
  }
  for (const PerplexityCurve& curve : measured.curves) addCurve(curve, engine);
}

void Builder::addCurve(const PerplexityCurve& curve, const Engine& engine) {
  if (curve.points.empty()) return;
  MethodSettings settings{.rope = curve.settings.rope,
                          .pscStrength = curve.settings.pscStrength,
                          .lora = curve.settings.lora};
  if (curve.settings.factorFollowsLength) {
    leaveOut(tr("The curve '%1': its factor follows the length, and a setting has one factor.")
                 .arg(QString::fromStdString(curve.settings.label)));
    return;
  }
  if (curve.settings.calibration) {
    settings.calibrationFile = curve.settings.calibration->info().path;
  }
  const auto method = rope::findMethod(settings.rope.id);
  if (method && method->info().takesFactor) settings.rope.factor = curve.factor;
  const auto rotation = engine.plan(settings.rope, plan().contextTokens);
  if (!rotation) return leaveOut(QString::fromStdString(rotation.error().message));
  RecordedSetting* result = setting(settings, *rotation);
  if (result != nullptr) result->perplexity = curve.points;
}

void Builder::addMaps(const std::map<std::string, std::vector<AttentionMap>>& maps) {
  auto& choices = plan().maps;
  for (const auto& [text, drawn] : maps) {
    for (const AttentionMap& map : drawn) {
      const bool known = std::any_of(choices.begin(), choices.end(), [&](const MapChoice& choice) {
        return sameMap(choice, map.request);
      });
      if (known) continue;
      choices.push_back({.layer = map.request.layer,
                         .head = map.request.head,
                         .cells = kMapCells,
                         .reducer = map.request.reducer});
    }
  }
  for (auto& result : m_made.experiment.results) {
    const auto drawn = maps.find(result.setting);
    for (const MapChoice& choice : choices) {
      AttentionMap map;
      if (drawn != maps.end()) {
        for (const AttentionMap& one : drawn->second) {
          if (sameMap(choice, one.request)) map = one;
        }
      }
      result.maps.push_back(std::move(map));
    }
  }
}

MadeExperiment Builder::finish(std::int64_t documentTokens) {
  std::set<std::int64_t> lengths;
  for (auto& result : m_made.experiment.results) {
    result.answers.resize(plan().questions.size());
    result.documentTokens = documentTokens;
    for (const auto& point : result.perplexity) lengths.insert(point.length);
  }
  plan().lengths.assign(lengths.begin(), lengths.end());
  return std::move(m_made);
}

// The session holds the document as it is, whatever was asked behind it.
bool holdsDocument(const Session& session, const OpenDocument& document) {
  const auto tokens = session.tokens();
  const auto& ids = document.part.ids;
  return tokens.size() >= ids.size() && std::equal(ids.begin(), ids.end(), tokens.begin());
}

bool captures(const Session& session, int layer) {
  const auto& layers = session.options().captureLayers;
  return std::find(layers.begin(), layers.end(), layer) != layers.end();
}

}  // namespace

Result<std::string> settingText(const MethodSettings& settings, const rope::RotaryPlan& plan) {
  CurveDescription description{.rope = settings.rope,
                               .calibrationFile = settings.calibrationFile.string(),
                               .pscStrength = settings.pscStrength,
                               .lora = settings.lora};
  const auto method = rope::findMethod(plan.method);
  if (method && method->info().takesFactor) description.rope.factor = plan.context.factor;
  return curveText(description);
}

ExperimentMaker::ExperimentMaker(AppModel& app, ChatModel& chat, EngineRunner& runner,
                                 ExperimentSources sources, QObject* parent)
    : QObject(parent),
      m_app(app),
      m_chat(chat),
      m_runner(runner),
      m_sources(std::move(sources)),
      m_described(Error{ErrorCode::InvalidArgument, "no model is loaded; open a model first"}) {
  connect(&m_app, &AppModel::modelChanged, this, [this] {
    m_maps.clear();
    m_described = Error{ErrorCode::InvalidArgument, "the model has not been described yet"};
  });
  connect(&m_app, &AppModel::documentChanged, this, [this] { m_maps.clear(); });
}

// The chat's count as the newer ones.
std::vector<ChatTurn> ExperimentMaker::turns() const {
  std::vector<ChatTurn> all = m_sources.compared();
  all.insert(all.end(), m_chat.turns().begin(), m_chat.turns().end());
  return all;
}

std::vector<std::filesystem::path> ExperimentMaker::calibrationFiles() const {
  std::set<std::filesystem::path> files;
  files.insert(m_app.method().calibrationFile);
  for (const ChatTurn& turn : turns()) files.insert(turn.settings.calibrationFile);
  const MeasuredCurves measured = m_sources.curves();
  for (const PerplexityCurve& curve : measured.curves) {
    if (curve.settings.calibration) files.insert(curve.settings.calibration->info().path);
  }
  files.erase(std::filesystem::path());
  return {files.begin(), files.end()};
}

void ExperimentMaker::prepare(HeadRef head, std::function<void()> done) {
  std::string setting;
  if (m_app.plan()) {
    if (const auto text = settingText(m_app.method(), *m_app.plan())) setting = *text;
  }
  const auto document = m_app.document();
  m_runner.requestView<Prepared>(
      QStringLiteral("experiment %1").arg(++m_requests), this,
      [head, setting, document, serial = m_app.sessionSerial(), files = calibrationFiles()](
          EngineRoom& room, const JobControl& job) -> Result<Prepared> {
        if (!room.engine) return Error{ErrorCode::InvalidArgument, "no model is loaded"};
        experiment::Plan plan;
        Prepared prepared{.setting = setting};
        const Status described = describeModel(*room.engine, plan);
        prepared.described = described ? Result<experiment::Plan>(plan) : described.error();
        for (const auto& file : files) {
          const auto bytes = readFile(file);
          if (!bytes) continue;  // gone since; the file then says nothing of it
          Sha256 sum;
          sum.add(*bytes);
          prepared.hashes[file] = sum.hex();
        }
        const auto session = existingSession(room, serial);
        if (!session || !document || !holdsDocument(**session, *document) ||
            !captures(**session, head.layer)) {
          return prepared;
        }
        const TokenRange all{.begin = 0, .end = document->tokens()};
        const int cells = static_cast<int>(std::min<std::int64_t>(kMapCells, all.size()));
        auto map = (*session)->attentionMap({.layer = head.layer,
                                             .head = head.head,
                                             .queries = all,
                                             .keys = all,
                                             .width = cells,
                                             .height = cells},
                                            job);
        if (map) prepared.maps.push_back(*std::move(map));
        return prepared;
      },
      [this, document, done = std::move(done)](const Result<Prepared>& prepared) {
        if (prepared && document == m_app.document()) adopt(*prepared);
        done();
      });
}

void ExperimentMaker::adopt(const Prepared& prepared) {
  m_described = prepared.described;
  for (const auto& [file, hash] : prepared.hashes) m_hashes[file] = hash;
  auto& known = m_maps[prepared.setting];
  for (const AttentionMap& map : prepared.maps) {
    std::erase_if(known, [&](const AttentionMap& old) {
      return old.request.layer == map.request.layer && old.request.head == map.request.head;
    });
    known.push_back(map);
  }
}

Result<MadeExperiment> ExperimentMaker::make() const {
  if (!m_app.engine() || !m_app.plan()) {
    return Error{
        ErrorCode::InvalidArgument,
        "no model is loaded, so there is nothing to keep; open a model and a document, and "
        "ask a question"};
  }
  const auto document = m_app.document();
  if (!document) {
    return Error{ErrorCode::InvalidArgument,
                 "no document is open, so there is nothing to keep; open one and ask a question"};
  }
  if (!m_described) return m_described.error();
  experiment::Plan plan = *m_described;
  plan.documentName = document->document.path.filename().string();
  plan.documentText = document->document.text;
  plan.contextTokens = m_app.plannedContext();
  plan.generation = m_chat.generation();
  plan.generation.maxNewTokens = m_app.answerTokens();
  Builder builder(std::move(plan), m_hashes);
  builder.setting(m_app.method(), *m_app.plan());  // first: the one in use
  builder.addAnswers(turns(), document);
  builder.addCurves(m_sources.curves(), *document, *m_app.engine());
  builder.addMaps(m_maps);
  for (const QString& sentence : m_sources.others()) builder.leaveOut(sentence);
  MadeExperiment made = builder.finish(document->tokens());
  if (made.experiment.plan.settings.empty()) {
    const QString why = tr("no setting can be written into a file: ");
    return Error{ErrorCode::InvalidArgument,
                 (why + made.leftOut.join(QStringLiteral(" "))).toStdString()};
  }
  return made;
}

}  // namespace ropescope::ui
