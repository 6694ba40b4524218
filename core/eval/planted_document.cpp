#include "core/eval/planted_document.h"

#include <algorithm>
#include <cmath>

#include "core/base/memory_size.h"
#include "core/eval/sentences.h"

namespace ropescope {
namespace {

void append(TokenIds& ids, const TokenIds& more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

std::int64_t sizeOf(const TokenIds& ids) {
  return static_cast<std::int64_t>(ids.size());
}

}  // namespace

Result<std::shared_ptr<const BookTokens>> bookTokens(const Tokenizer& tokenizer, std::string name,
                                                     std::string text) {
  auto encoding = encodingInside(tokenizer, text);
  if (!encoding) return encoding.error();
  auto book = std::make_shared<BookTokens>();
  book->name = std::move(name);
  book->text = std::move(text);
  book->ids = std::move(encoding->ids);
  book->spans = std::move(encoding->spans);
  std::size_t token = 0;
  for (const SentenceBreak& each : sentenceBreaks(book->text)) {
    while (token < book->spans.size() && book->spans[token].begin < each.end) ++token;
    if (token < book->spans.size() && book->spans[token].begin == each.end) {
      book->borders.push_back(static_cast<std::int64_t>(token));
    }
  }
  return std::shared_ptr<const BookTokens>(std::move(book));
}

Result<PlantedPrompts> PlantedPrompts::make(std::shared_ptr<const Tokenizer> tokenizer,
                                            const PromptFormat& format,
                                            std::shared_ptr<const BookTokens> book,
                                            const std::string& question) {
  PlantedPrompts prompts;
  auto frame = documentFrame(format, *tokenizer);
  if (!frame) return frame.error();
  auto part = questionPart(format, *tokenizer, question);
  if (!part) return part.error();
  prompts.m_tokenizer = std::move(tokenizer);
  prompts.m_book = std::move(book);
  prompts.m_frame = *std::move(frame);
  prompts.m_question = std::move(part->ids);
  return prompts;
}

Result<TokenIds> PlantedPrompts::idsAtStart(const std::string& text) const {
  if (m_frame.textIsFirst) return m_tokenizer->encode(text).ids;
  return encodeInside(*m_tokenizer, text);
}

// "… end. Needle. Next …"
Result<TokenIds> PlantedPrompts::idsInside(const std::string& needle) const {
  return encodeInside(*m_tokenizer, " " + needle);
}

Result<std::int64_t> PlantedPrompts::leastLength(const std::string& needle) const {
  std::int64_t longest = 0;
  for (const auto& ids : {idsAtStart(needle + "\n"), idsInside(needle)}) {
    if (!ids) return ids.error();
    longest = std::max(longest, sizeOf(*ids));
  }
  return sizeOf(m_frame.head) + longest + sizeOf(m_frame.tail) + sizeOf(m_question);
}

// Tokens that are left for the book's text.
Result<std::int64_t> PlantedPrompts::roomFor(const TokenIds& needle, std::int64_t length) const {
  const std::int64_t fixed =
      sizeOf(m_frame.head) + sizeOf(needle) + sizeOf(m_frame.tail) + sizeOf(m_question);
  const std::int64_t room = length - fixed;
  if (room < 0) {
    return Error{ErrorCode::InvalidArgument,
                 "a prompt of " + countText(length) +
                     " tokens is too short: the planted sentence, the question and the words "
                     "around them alone take " +
                     countText(fixed) + "; give lengths from " + std::to_string(fixed) + " up"};
  }
  if (room > m_book->size()) {
    return Error{ErrorCode::InvalidArgument,
                 m_book->name + " has " + countText(m_book->size()) + " tokens, a prompt of " +
                     countText(length) + " takes " + countText(room) +
                     " of them; give a longer document or lengths up to " +
                     std::to_string(fixed + m_book->size())};
  }
  return room;
}

RetrievalPrompt PlantedPrompts::assemble(const TokenIds& needle, const Cut& cut) const {
  const auto from = m_book->ids.begin() + cut.begin;
  RetrievalPrompt prompt;
  TokenIds document = m_frame.head;
  document.insert(document.end(), from, from + cut.before);
  prompt.needleBegin = sizeOf(document);
  append(document, needle);
  document.insert(document.end(), from + cut.before, from + cut.before + cut.after);
  append(document, m_frame.tail);
  prompt.parts = {std::move(document), m_question};
  return prompt;
}

Result<RetrievalPrompt> PlantedPrompts::atDepth(const std::string& needle, const NeedlePlace& place,
                                                SplitMix& random) const {
  auto planted = idsInside(needle);
  if (!planted) return planted.error();
  auto room = roomFor(*planted, place.length);
  if (!room) return room.error();
  Cut cut{.before = std::llround(place.depth * static_cast<double>(*room))};
  if (cut.before == 0) {  // no blank in front, which may be a token more or less
    planted = idsAtStart(needle);
    if (!planted) return planted.error();
    room = roomFor(*planted, place.length);
    if (!room) return room.error();
  }
  cut.after = *room - cut.before;
  const auto& borders = m_book->borders;
  const auto first = std::lower_bound(borders.begin(), borders.end(), cut.before);
  const auto last = std::upper_bound(borders.begin(), borders.end(), m_book->size() - cut.after);
  if (first >= last) {
    return Error{ErrorCode::InvalidArgument,
                 m_book->name + " has no end of a sentence with " + countText(cut.before) +
                     " tokens before it and " + countText(cut.after) +
                     " behind it; give a longer document or shorter lengths"};
  }
  cut.begin =
      first[static_cast<std::ptrdiff_t>(random.below(static_cast<std::uint64_t>(last - first)))] -
      cut.before;
  return assemble(*planted, cut);
}

Result<RetrievalPrompt> PlantedPrompts::inWindow(const std::string& needle,
                                                 const NeedlePlace& place, double share) const {
  auto planted = idsInside(needle);
  if (!planted) return planted.error();
  auto room = roomFor(*planted, place.length);
  if (!room) return room.error();
  Cut cut;
  cut.begin = std::llround(share * static_cast<double>(m_book->size() - *room));
  const std::int64_t wanted = cut.begin + std::llround(place.depth * static_cast<double>(*room));
  std::int64_t nearest =
      wanted - cut.begin < *room - (wanted - cut.begin) ? cut.begin : cut.begin + *room;
  for (const std::int64_t border : m_book->borders) {
    if (border <= cut.begin || border >= cut.begin + *room) continue;
    if (std::abs(border - wanted) < std::abs(nearest - wanted)) nearest = border;
  }
  cut.before = nearest - cut.begin;
  if (cut.before == 0) {  // a line of its own before whatever the window starts with
    planted = idsAtStart(needle + "\n");
    if (!planted) return planted.error();
    room = roomFor(*planted, place.length);
    if (!room) return room.error();
    cut.begin = std::min(cut.begin, m_book->size() - *room);
  }
  cut.after = *room - cut.before;
  return assemble(*planted, cut);
}

}  // namespace ropescope
