// The comparison as a table, as Markdown and as JSON.
#include <limits>

#include <nlohmann/json.hpp>

#include "core/base/file_io.h"
#include "core/tokenizer/utf8.h"
#include "ui/viewmodels/compare_model.h"

namespace ropescope::ui {
namespace {

using nlohmann::ordered_json;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

ordered_json settingsJson(const MethodSettings& settings) {
  ordered_json values = ordered_json::object();
  for (const auto& [name, value] : settings.rope.values) {
    values[name] = std::visit([](const auto& held) { return ordered_json(held); }, value);
  }
  ordered_json json = {{"rope", settings.rope.id}, {"rope_parameters", values}};
  json["factor"] = settings.rope.factor ? ordered_json(*settings.rope.factor) : ordered_json();
  json["calibration"] = settings.calibrationFile.empty()
                            ? ordered_json()
                            : ordered_json(replaceInvalidUtf8(settings.calibrationFile.string()));
  json["psc_strength"] = settings.pscStrength;
  json["lora"] = settings.lora;
  return json;
}

}  // namespace

PlotTable CompareModel::table() const {
  PlotTable table;
  table.columns.resize(12);
  const QStringList titles = {tr("settings"),
                              tr("answer"),
                              tr("tokens"),
                              tr("tokens that differ"),
                              tr("mean log-probability [nats]"),
                              tr("prompt [tokens]"),
                              tr("reused [tokens]"),
                              tr("prefill [s]"),
                              tr("decode [s]"),
                              tr("decode [tokens/s]"),
                              tr("KV cache [bytes]"),
                              tr("problem")};
  for (qsizetype i = 0; i < titles.size(); ++i) {
    table.columns[static_cast<std::size_t>(i)].title = titles[i];
  }
  for (int row = 0; row < kPanes; ++row) {
    const Answer& answer = progress(row).answer;
    const auto written = static_cast<double>(answer.ids.size());
    std::int64_t differing = 0;
    for (const ComparedToken& token : tokens(row)) differing += token.differs ? 1 : 0;
    table.columns[0].texts << index(row).data().toString();
    table.columns[1].texts << index(row).data(AnswerRole).toString().trimmed();
    table.columns[11].texts << index(row).data(ProblemRole).toString();
    const bool any = hasAnswer(row);
    const std::array<double, 9> numbers = {
        written,
        static_cast<double>(differing),
        meanLogProbability(row).value_or(kNone),
        static_cast<double>(answer.prefill.promptTokens),
        static_cast<double>(answer.prefill.reusedTokens),
        answer.prefillSeconds,
        answer.decodeSeconds,
        answer.decodeSeconds > 0 ? written / answer.decodeSeconds : kNone,
        static_cast<double>(progress(row).cacheBytes)};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      table.columns[i + 2].numbers.push_back(any ? numbers[i] : kNone);
    }
  }
  return table;
}

PlotTable CompareModel::tokenTable() const {
  TableColumn pane{.title = tr("pane")};
  TableColumn settings{.title = tr("settings")};
  TableColumn place{.title = tr("token of the answer")};
  TableColumn text{.title = tr("text")};
  TableColumn id{.title = tr("token id")};
  TableColumn logProbability{.title = tr("log-probability [nats]")};
  TableColumn differs{.title = tr("differs from pane %1").arg(m_reference + 1)};
  for (int row = 0; row < kPanes; ++row) {
    const QString title = index(row).data().toString();
    double number = 0;
    for (const ComparedToken& token : tokens(row)) {
      pane.numbers.push_back(row + 1);
      settings.texts << title;
      place.numbers.push_back(++number);
      text.texts << token.text;
      id.numbers.push_back(token.id);
      logProbability.numbers.push_back(token.logProbability);
      differs.numbers.push_back(token.differs ? 1.0 : 0.0);
    }
  }
  return {{pane, settings, place, text, id, logProbability, differs}};
}

std::string CompareModel::markdown() const {
  QString text = tr("# One question under four settings") + QStringLiteral("\n\n");
  text += tr("Question: %1").arg(m_question) + QStringLiteral("\n");
  for (int row = 0; row < kPanes; ++row) {
    const QModelIndex at = index(row);
    text += QStringLiteral("\n## %1. %2\n\n").arg(row + 1).arg(at.data().toString());
    const QString answer = at.data(AnswerRole).toString().trimmed();
    const QString problem = at.data(ProblemRole).toString();
    const QString detail = at.data(DetailRole).toString();
    if (!answer.isEmpty()) text += answer + QStringLiteral("\n\n");
    if (!problem.isEmpty()) text += QStringLiteral("> %1\n\n").arg(problem);
    if (!detail.isEmpty()) text += QStringLiteral("*%1*\n").arg(detail);
  }
  return text.toStdString();
}

std::string CompareModel::json() const {
  ordered_json json = {{"version", 1}, {"question", m_question.toStdString()}};
  if (m_app.engine()) json["model_hash"] = m_app.engine()->modelHash();
  json["answers"] = ordered_json::array();
  for (int row = 0; row < kPanes; ++row) {
    const Pane& pane = at(row);
    if (!pane.asked) continue;
    const Answer& answer = pane.progress.answer;
    ordered_json one = {{"title", pane.title.toStdString()},
                        {"settings", settingsJson(pane.settings)},
                        {"text", replaceInvalidUtf8(answer.text)},
                        {"token_ids", answer.ids}};
    one["log_probabilities"] = ordered_json::array();
    for (const GeneratedToken& token : answer.tokens) {
      one["log_probabilities"].push_back(token.logProbability);
    }
    one["finish_reason"] = finishReasonName(answer.finishReason);
    one["prompt_tokens"] = answer.prefill.promptTokens;
    one["reused_tokens"] = answer.prefill.reusedTokens;
    one["seconds"] = {{"prefill", answer.prefillSeconds}, {"decode", answer.decodeSeconds}};
    one["kv_cache_bytes"] = pane.progress.cacheBytes;
    if (!pane.problem.isEmpty()) one["problem"] = pane.problem.toStdString();
    json["answers"].push_back(one);
  }
  return json.dump(2) + "\n";
}

Status CompareModel::exportTo(const std::filesystem::path& path) const {
  if (path.extension() == ".json") return writeFileAtomically(path, json());
  if (path.extension() == ".csv") return writeFileAtomically(path, toCsv(table()).toStdString());
  return writeFileAtomically(path, markdown());
}

Status CompareModel::exportTokens(const std::filesystem::path& path) const {
  return writeFileAtomically(path, toCsv(tokenTable()).toStdString());
}

}  // namespace ropescope::ui
