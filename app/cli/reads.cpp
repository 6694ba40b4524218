// reads: where an answer was read from.
#include <algorithm>
#include <numeric>

#include "app/cli/answers.h"
#include "app/cli/commands.h"
#include "app/cli/inputs.h"
#include "app/cli/pictures.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/eval/token_passages.h"
#include "core/lens/distance_mass.h"
#include "core/lens/span_attention.h"
#include "core/tokenizer/utf8.h"

namespace ropescope::cli {
namespace {

// The first tokens hold most of the weight of many heads without being read (arXiv 2309.17453):
// they count for no sentence.
constexpr std::int64_t kFirstTokens = 4;
constexpr std::size_t kSentences = 20;
constexpr std::size_t kShown = 5;
constexpr std::size_t kShownCharacters = 76;

struct Prompt {
  PromptPart document;
  std::vector<std::int32_t> question;
  std::string text;  // of the document
  std::int64_t documentTokens() const { return static_cast<std::int64_t>(document.ids.size()); }
  std::int64_t tokens() const {
    return documentTokens() + static_cast<std::int64_t>(question.size());
  }
};

Result<Prompt> buildPrompt(Run& run) {
  const auto tokenizer = run.tokenizer();
  if (!tokenizer) return tokenizer.error();
  if (run.options().questions.size() != 1) {
    return Error{ErrorCode::InvalidArgument, "reads takes one question, " +
                                                 std::to_string(run.options().questions.size()) +
                                                 " are given; call it once for each"};
  }
  const auto text = readDocumentText(run, run.options().documents.front());
  if (!text) return text.error();
  const PromptFormat& format = run.engine().promptFormat();
  auto document = documentPart(format, **tokenizer, *text);
  if (!document) return document.error();
  auto question = questionPart(format, **tokenizer, run.options().questions.front());
  if (!question) return question.error();
  run.settings()["questions"] = run.options().questions;
  return Prompt{*std::move(document), std::move(question->ids), *text};
}

Result<HeadSet> chosenHeads(const Run& run, const Options& options) {
  const ModelConfig& config = run.engine().config();
  if (options.reads.heads.empty()) return HeadSet::meanOfAll(config.layers, config.heads);
  std::vector<HeadScore> alike;
  for (const HeadRef& head : options.reads.heads) {
    if (Status valid = checkHead(config, head.layer, head.head); !valid) return valid.error();
    const bool again = std::any_of(alike.begin(), alike.end(),
                                   [&](const HeadScore& each) { return each.head == head; });
    if (!again) alike.push_back({.head = head, .score = 1.0});
  }
  return HeadSet::best(alike, static_cast<int>(alike.size()));
}

// Token i of an answer was written by the token before it: those are the queries.
Result<TokenRange> writersOf(const Options& options, std::int64_t prompt, std::int64_t written) {
  const TokenRange span = options.reads.span.value_or(TokenRange{0, written});
  if (written == 0) {
    return Error{ErrorCode::InvalidArgument,
                 "the answer is empty, nothing was read for it; ask another question"};
  }
  if (span.end > written) {
    return Error{ErrorCode::InvalidArgument,
                 "--span is " + std::to_string(span.begin) + ":" + std::to_string(span.end) +
                     ", the answer has " + tokensText(written) +
                     "; give a range within 0:" + std::to_string(written)};
  }
  return TokenRange{prompt + span.begin - 1, prompt + span.end - 1};
}

double sumOf(const std::vector<double>& weights, std::int64_t begin, std::int64_t end) {
  const auto size = static_cast<std::int64_t>(weights.size());
  return std::accumulate(weights.begin() + std::min(begin, size),
                         weights.begin() + std::min(end, size), 0.0);
}

struct Sentence {
  TokenPassage passage;
  std::string text;
  double share = 0.0;  // of what the document got, without its first tokens
};

std::vector<Sentence> strongestSentences(const Prompt& prompt, const std::vector<double>& weights) {
  const auto passages =
      sentencePassages(prompt.text, prompt.document.spans, prompt.document.contentBegin);
  const double document = sumOf(weights, kFirstTokens, prompt.documentTokens());
  const auto sums = passageSums(passages, weights, kFirstTokens);
  std::vector<Sentence> sentences;
  for (const std::size_t i : largest(sums, kSentences)) {
    const ByteSpan& bytes = passages[i].bytes;
    sentences.push_back({passages[i],
                         prompt.text.substr(static_cast<std::size_t>(bytes.begin),
                                            static_cast<std::size_t>(bytes.end - bytes.begin)),
                         sums[i] / document});
  }
  return sentences;
}

Json headsJson(const HeadSet& set) {
  Json heads = Json::array();
  for (const WeightedHead& each : set.heads()) {
    heads.push_back(
        {{"layer", each.head.layer}, {"head", each.head.head}, {"weight", each.weight}});
  }
  return heads;
}

void fillFields(Run& run, const Prompt& prompt, const SpanAttention& reads) {
  Json& fields = run.fields();
  const std::int64_t document = prompt.documentTokens();
  const auto end = static_cast<std::int64_t>(reads.weights.size());
  fields["parts"] = {{"document", {0, document}},
                     {"question", {document, prompt.tokens()}},
                     {"answer", {prompt.tokens(), end}}};
  const std::int64_t shift = 1 - prompt.tokens();
  fields["span"] = {reads.span.begin + shift, reads.span.end + shift};
  fields["heads"] = headsJson(reads.heads);
  fields["left_out_heads"] = reads.leftOutHeads;
  fields["weights"] = reads.weights;
  fields["mass"] = {{"first_tokens", sumOf(reads.weights, 0, kFirstTokens)},
                    {"document", sumOf(reads.weights, kFirstTokens, document)},
                    {"question", sumOf(reads.weights, document, prompt.tokens())},
                    {"answer", sumOf(reads.weights, prompt.tokens(), end)}};
  run.keepResult();
}

void showSentences(Run& run, const std::vector<Sentence>& sentences) {
  Json list = Json::array();
  Table table({"share", "tokens", "sentence"}, 1);
  for (const Sentence& each : sentences) {
    list.push_back({{"tokens", {each.passage.firstToken, each.passage.endToken}},
                    {"share", each.share},
                    {"text", each.text}});
    if (list.size() > kShown) continue;
    std::string line = each.text;
    std::replace(line.begin(), line.end(), '\n', ' ');
    if (line.size() > kShownCharacters) {
      line.resize(kShownCharacters);
      line = replaceInvalidUtf8(line) + " …";
    }
    table.add({fixed(100.0 * each.share, 1) + " %", countText(each.passage.firstToken), line});
  }
  run.fields()["sentences"] = std::move(list);
  run.console().print("\n" + table.text());
}

// --keys: which later tokens read that part of the prompt.
Status addReaders(Run& run, const Session& session, const HeadSet& heads) {
  if (!run.options().keys) return Done{};
  const auto keys = rangeWithin(*run.options().keys, session.position(), "--keys", "the prompt");
  if (!keys) return keys.error();
  const auto readers = attentionTo(session, {*keys, heads}, run.job());
  if (!readers) return readers.error();
  run.fields()["read_by"] = {{"keys", {keys->begin, keys->end}}, {"weights", readers->weights}};
  return Done{};
}

// How far back the span was read from, and how much of that lies beyond what training showed.
Status addDistances(Run& run, const Session& session, const TokenRange& writers,
                    const HeadSet& heads) {
  const auto mass = distanceMass(
      session, {.queries = writers, .heads = heads, .ignoredTokens = kFirstTokens, .plan = nullptr},
      run.job());
  if (!mass) return mass.error();
  const std::int64_t trained = session.plan().context.originalLength;
  const double beyond = mass->atLeast(trained);
  run.fields()["by_distance"] = mass->byDistance;
  run.fields()["beyond_trained"] = beyond;
  run.console().print("\n" + fixed(100.0 * beyond, 1) + " % of the attention goes beyond the " +
                      tokensText(trained) + " of training\n");
  return Done{};
}

// Answers, and gives the attention of the span's writers.
Status answerAndMeasure(Run& run, Session& session, const Prompt& prompt, const HeadSet& heads,
                        const GenerationConfig& config) {
  const auto answer = answerParts(run, session, {prompt.document.ids, prompt.question}, config);
  if (!answer) return answer.error();
  run.console().print("\n");
  run.fields()["answer"] = answerJson(*answer);
  run.keepResult();
  if (run.stopRequested()) return Done{};
  const auto writers =
      writersOf(run.options(), prompt.tokens(), static_cast<std::int64_t>(answer->tokenIds.size()));
  if (!writers) return writers.error();
  const auto reads = attentionFrom(session, {*writers, heads}, run.job());
  if (!reads) return reads.error();
  fillFields(run, prompt, *reads);
  if (Status added = addDistances(run, session, *writers, heads); !added) return added;
  showSentences(run, strongestSentences(prompt, reads->weights));
  return addReaders(run, session, heads);
}

}  // namespace

Status runReads(Run& run) {
  const auto heads = chosenHeads(run, run.options());
  if (!heads) return heads.error();
  const auto prompt = buildPrompt(run);
  if (!prompt) return prompt.error();
  const auto config = generationConfig(run);
  if (!config) return config.error();
  const auto context = run.contextFor(prompt->tokens() + run.options().maxNewTokens,
                                      "document, question and answer need", {});
  if (!context) return context.error();
  auto sessionOptions = run.sessionOptions(*context);
  if (!sessionOptions) return sessionOptions.error();
  sessionOptions->captureLayers = heads->layers();
  auto session = run.engine().newSession(*sessionOptions);
  if (!session) return session.error();
  return answerAndMeasure(run, **session, *prompt, *heads, *config);
}

}  // namespace ropescope::cli
