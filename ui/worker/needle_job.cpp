#include "ui/worker/needle_job.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/base/memory_size.h"
#include "core/base/sha256.h"
#include "core/eval/retrieval_session.h"
#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/utf8.h"

namespace ropescope::ui {
namespace {

// What the engine thread makes of an order.
struct Prepared {
  NeedlePrompts prompts;
  std::vector<CurveSettings> methods;
  std::vector<ResultJson> settings;  // of each method's file
  std::vector<std::filesystem::path> files;
};

std::string textHash(const std::string& text) {
  Sha256 hash;
  hash.add(text);
  return hash.hex();
}

Result<std::shared_ptr<const BookTokens>> bookOf(const Engine& engine, const NeedleOrder& order) {
  if (!needsDocument(order.plan) || !order.document) return std::shared_ptr<const BookTokens>();
  const auto tokenizer = engine.tokenizer();
  if (!tokenizer) return tokenizer.error();
  const Document& document = order.document->document;
  return bookTokens(**tokenizer, document.path.filename().string(), document.text);
}

Result<Prepared> prepare(const EngineRoom& room, const NeedleOrder& order) {
  if (!room.engine) {
    return Error{ErrorCode::InvalidArgument, "no model is loaded; open a model folder first"};
  }
  const Engine& engine = *room.engine;
  const auto book = bookOf(engine, order);
  if (!book) return book.error();
  auto prompts = NeedlePrompts::make(engine, order.plan, *book);
  if (!prompts) return prompts.error();
  Prepared prepared{.prompts = *std::move(prompts), .methods = {}, .settings = {}, .files = {}};
  const std::string hash = *book ? textHash((*book)->text) : std::string();
  for (const std::string& text : order.methods) {
    auto method = parseCurve(text, engine);
    if (!method) return method.error();
    prepared.settings.push_back(needleSettings(engine, order.plan, *method, hash));
    prepared.files.push_back(order.folder / needleFileName(prepared.settings.back()));
    prepared.methods.push_back(*std::move(method));
  }
  return prepared;
}

// Before any work: a setting that cannot be planned is not found out after minutes.
Status checkMethods(const Engine& engine, const Prepared& prepared) {
  const GridRequest request = prepared.prompts.request({});
  for (const CurveSettings& method : prepared.methods) {
    Status planned = checkPlan(engine, method,
                               {.longest = request.lengths.back(),
                                .length = request.lengths.back(),
                                .answerRoom = request.mostAnswerTokens});
    if (!planned) return planned;
  }
  return Done{};
}

Status measureAll(const EngineRoom& room, const NeedleOrder& order,
                  const std::function<void(NeedleCell)>& onCell, const JobControl& job) {
  auto prepared = prepare(room, order);
  if (!prepared) return prepared.error();
  if (Status fits = checkMethods(*room.engine, *prepared); !fits) return fits;
  std::error_code error;
  std::filesystem::create_directories(order.folder, error);
  if (error) {
    return Error{ErrorCode::Device, order.folder.string() +
                                        ": the folder for results cannot be "
                                        "made (" +
                                        error.message() + ")"};
  }
  for (std::size_t i = 0; i < prepared->methods.size(); ++i) {
    auto log = ResultLog::open(prepared->files[i], prepared->settings[i], LogStart::Resume);
    if (!log) return log.error();
    Status measured = measureGrid(
        *room.engine, prepared->prompts.request({prepared->methods[i]}), *log,
        [&](const RetrievalCell& cell) {
          onCell({i, cell});
        },
        job);
    if (!measured) return measured;
  }
  return Done{};
}

Result<std::vector<NeedleCell>> knownCells(const EngineRoom& room, const NeedleOrder& order) {
  const auto prepared = prepare(room, order);
  if (!prepared) return prepared.error();
  std::vector<NeedleCell> cells;
  for (std::size_t i = 0; i < prepared->files.size(); ++i) {
    std::error_code ignored;
    if (!std::filesystem::exists(prepared->files[i], ignored)) continue;
    const auto content = readResultLog(prepared->files[i]);
    if (!content) return content.error();
    for (const ResultJson& record : content->records) {
      auto cell = cellFrom(record);
      if (!cell) return cell.error();
      cells.push_back({i, *std::move(cell)});
    }
  }
  return cells;
}

// The ids as they are, with the text that they stand for. A character that a cut left half becomes
// question marks, byte for byte, so that spans stay true.
std::shared_ptr<const OpenDocument> documentOf(const Tokenizer& tokenizer,
                                               const std::vector<std::int32_t>& ids,
                                               const std::string& name) {
  auto open = std::make_shared<OpenDocument>();
  std::string text;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto begin = static_cast<std::int64_t>(text.size());
    // Behind BOS and a token of text there is no dummy prefix any more.
    text += tokenizer.continuation(std::span(ids).first(std::min<std::size_t>(i, 2)), {&ids[i], 1});
    open->part.spans.push_back({begin, static_cast<std::int64_t>(text.size())});
  }
  while (const auto bad = firstInvalidUtf8(text)) text[static_cast<std::size_t>(*bad)] = '?';
  open->part.ids = ids;
  open->part.text = text;
  const std::ptrdiff_t bos = tokenizer.addsBos() ? 1 : 0;
  open->plainIds.assign(ids.begin() + bos, ids.end());
  open->plainSpans.assign(open->part.spans.begin() + bos, open->part.spans.end());
  open->document = {.path = name, .text = std::move(text), .notice = {}};
  return open;
}

// The token that a reading head looks at: where the wanted answer begins within the needle. An
// answer that stands nowhere in these words leaves the needle's first token.
std::int64_t keyTokenOf(const PromptPart& part, std::int64_t needleBegin,
                        const std::string& expected) {
  const auto from =
      static_cast<std::size_t>(part.spans[static_cast<std::size_t>(needleBegin)].begin);
  const std::size_t found = part.text.find(expected, from);
  if (expected.empty() || found == std::string::npos) return needleBegin;
  const auto token = std::find_if(
      part.spans.begin() + needleBegin, part.spans.end(),
      [found](const ByteSpan& span) { return span.end > static_cast<std::int64_t>(found); });
  return token - part.spans.begin();
}

Result<OpenedNeedle> opened(const EngineRoom& room, const NeedleOrder& order,
                            const NeedleSpot& spot) {
  NeedleOrder one = order;  // without reading the calibrations of the others
  one.methods = {order.methods[spot.index]};
  const auto prepared = prepare(room, one);
  if (!prepared) return prepared.error();
  const auto needle = prepared->prompts.prompt(spot.length, spot.depth, spot.trial);
  if (!needle) return needle.error();
  const auto tokenizer = room.engine->tokenizer();
  if (!tokenizer) return tokenizer.error();
  const CurveSettings& method = prepared->methods.front();
  OpenedNeedle open{.document = nullptr,
                    .questionIds = needle->prompt.parts.back(),
                    .question = QString::fromStdString(needle->question),
                    .expected = QString::fromStdString(needle->prompt.expected),
                    .keyToken = 0,
                    .answerTokens = mostAnswerTokens(order.plan, **tokenizer),
                    .settings = {}};
  const std::string name = "needle at " + countText(needle->prompt.needleBegin) + " of " +
                           countText(spot.length) + " tokens";
  open.document = documentOf(**tokenizer, needle->prompt.parts.front(), name);
  open.keyToken =
      keyTokenOf(open.document->part, needle->prompt.needleBegin, needle->prompt.expected);
  open.settings.rope = choiceAt(method, *room.engine,
                                {.longest = order.plan.lengths.back(),
                                 .length = spot.length,
                                 .answerRoom = open.answerTokens});
  open.settings.contextTokens = spot.length + open.answerTokens;
  if (method.calibration) open.settings.calibrationFile = method.calibration->info().path;
  open.settings.pscStrength = method.pscStrength;
  open.settings.lora = method.lora;
  return open;
}

using Cells = std::vector<NeedleCell>;

}  // namespace

void startNeedles(EngineRunner& runner, QObject* receiver, const NeedleOrder& order,
                  const NeedleSinks& sinks) {
  const auto stream = runner.stream<Cells>(
      receiver,
      [onCell = sinks.onCell](const Cells& cells) {
        for (const NeedleCell& cell : cells) onCell(cell);
      },
      [](Cells& waiting, Cells&& next) {
        waiting.insert(waiting.end(), next.begin(), next.end());
      });
  runner.startLong<Done>(
      receiver, Lane::Needles, SameLane::Replace,
      [order, stream](EngineRoom& room, const JobControl& job) -> Status {
        return measureAll(
            room, order, [&](NeedleCell cell) { stream({std::move(cell)}); }, job);
      },
      sinks.onDone);
}

void loadNeedles(EngineRunner& runner, QObject* receiver, const NeedleOrder& order,
                 std::function<void(const std::vector<NeedleCell>&)> deliver) {
  runner.requestView<Cells>(
      QStringLiteral("needles/known"), receiver,
      [order](EngineRoom& room, const JobControl&) { return knownCells(room, order); },
      [deliver = std::move(deliver)](const Result<Cells>& cells) {
        // What is wrong is said when the measurement is started.
        if (cells) deliver(*cells);
      });
}

void openNeedle(EngineRunner& runner, QObject* receiver, const NeedleOrder& order,
                const NeedleSpot& spot, std::function<void(const Result<OpenedNeedle>&)> deliver) {
  runner.requestView<OpenedNeedle>(
      QStringLiteral("needles/open"), receiver,
      [order, spot](EngineRoom& room, const JobControl&) { return opened(room, order, spot); },
      std::move(deliver));
}

}  // namespace ropescope::ui
