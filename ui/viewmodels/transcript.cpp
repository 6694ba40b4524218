#include "ui/viewmodels/transcript.h"

#include <nlohmann/json.hpp>

#include "core/base/file_io.h"
#include "core/tokenizer/utf8.h"

namespace ropescope::ui {
namespace {

using nlohmann::ordered_json;

ordered_json valueJson(const rope::ParameterValue& value) {
  return std::visit([](const auto& held) { return ordered_json(held); }, value);
}

ordered_json settingsJson(const AppModel& app) {
  const MethodSettings& method = app.method();
  ordered_json parameters = ordered_json::object();
  for (const auto& [name, value] : method.rope.values) parameters[name] = valueJson(value);
  ordered_json settings = {{"rope", method.rope.id},
                           {"rope_parameters", parameters},
                           {"factor", app.plan() ? app.plan()->context.factor : 1.0},
                           {"context", app.plannedContext()}};
  settings["calibration"] = method.calibrationFile.empty()
                                ? ordered_json(nullptr)
                                : ordered_json(replaceInvalidUtf8(method.calibrationFile.string()));
  settings["psc_strength"] = method.pscStrength;
  settings["lora"] = method.lora;
  return settings;
}

ordered_json turnJson(const ChatTurn& turn) {
  ordered_json json = {{"question", turn.question.toStdString()},
                       {"text", turn.answer.toStdString()},
                       {"method", turn.method.toStdString()}};
  if (!turn.note.isEmpty()) json["note"] = turn.note.toStdString();
  if (turn.state == ChatTurn::State::Failed) json["problem"] = turn.problem.toStdString();
  if (turn.state != ChatTurn::State::Finished) return json;
  const Answer& result = turn.result;
  json["token_ids"] = result.ids;
  json["prompt_tokens"] = result.prefill.promptTokens;
  json["reused_tokens"] = result.prefill.reusedTokens;
  json["finish_reason"] = finishReasonName(result.finishReason);
  json["seconds"] = {{"prefill", result.prefillSeconds}, {"decode", result.decodeSeconds}};
  json["sampling"] = {{"max_new_tokens", turn.generation.maxNewTokens},
                      {"temperature", turn.generation.temperature},
                      {"top_p", turn.generation.topP},
                      {"top_k", turn.generation.topK},
                      {"seed", turn.generation.seed}};
  return json;
}

}  // namespace

std::string transcriptJson(const AppModel& app, const ChatModel& chat) {
  ordered_json json = {{"version", 1}};
  if (app.engine()) {
    json["model"] = {{"path", replaceInvalidUtf8(app.engine()->folder().string())},
                     {"hash", app.engine()->modelHash()},
                     {"device", app.engine()->device()},
                     {"dtype", app.engine()->dtype()}};
  }
  if (app.document()) {
    json["document"] = {{"path", replaceInvalidUtf8(app.document()->document.path.string())},
                        {"tokens", app.document()->tokens()}};
  }
  json["settings"] = settingsJson(app);
  json["answers"] = ordered_json::array();
  for (const ChatTurn& turn : chat.turns()) json["answers"].push_back(turnJson(turn));
  return json.dump(2) + "\n";
}

std::string transcriptMarkdown(const AppModel& app, const ChatModel& chat) {
  std::string text = "# " + ChatModel::tr("Questions and answers").toStdString() + "\n\n";
  if (app.document()) {
    text += "- " +
            ChatModel::tr("Document: %1")
                .arg(QString::fromStdString(app.document()->document.path.filename().string()))
                .toStdString() +
            "\n";
  }
  if (app.engine()) {
    text += "- " +
            ChatModel::tr("Model: %1, %2 on %3")
                .arg(QString::fromStdString(app.engine()->folder().filename().string()),
                     QString::fromStdString(app.engine()->dtype()),
                     QString::fromStdString(app.engine()->device()))
                .toStdString() +
            "\n";
    text += "- " +
            ChatModel::tr("Model hash: %1")
                .arg(QString::fromStdString(app.engine()->modelHash()))
                .toStdString() +
            "\n";
  }
  for (int row = 0; row < chat.rowCount(); ++row) {
    const QModelIndex at = chat.index(row);
    text += "\n## ";
    text += at.data(ChatModel::QuestionRole).toString().toStdString();
    text += "\n\n";
    const QString answer = at.data(ChatModel::AnswerRole).toString().trimmed();
    const QString problem = at.data(ChatModel::ProblemRole).toString();
    if (!answer.isEmpty()) text += answer.toStdString() + "\n\n";
    if (!problem.isEmpty()) text += QStringLiteral("> %1\n\n").arg(problem).toStdString();
    text += QStringLiteral("*%1*\n").arg(at.data(ChatModel::DetailRole).toString()).toStdString();
  }
  return text;
}

Status exportTranscript(const std::filesystem::path& path, const AppModel& app,
                        const ChatModel& chat) {
  const bool json = path.extension() == ".json";
  return writeFileAtomically(path,
                             json ? transcriptJson(app, chat) : transcriptMarkdown(app, chat));
}

}  // namespace ropescope::ui
