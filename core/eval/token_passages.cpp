#include "core/eval/token_passages.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/eval/sentences.h"

namespace ropescope {
namespace {

bool isSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// Bytes behind every run of white space that holds two line ends.
std::vector<std::int64_t> paragraphBegins(std::string_view text) {
  std::vector<std::int64_t> begins;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!isSpace(text[i])) continue;
    std::size_t lines = 0;
    for (; i < text.size() && isSpace(text[i]); ++i) lines += text[i] == '\n' ? 1 : 0;
    if (lines >= 2) begins.push_back(static_cast<std::int64_t>(i));
  }
  return begins;
}

// Where sentences begin, and the text's end; ascending.
std::vector<std::int64_t> borders(std::string_view text) {
  std::vector<std::int64_t> all = paragraphBegins(text);
  for (const SentenceBreak& each : sentenceBreaks(text)) all.push_back(each.next);
  all.push_back(0);
  all.push_back(static_cast<std::int64_t>(text.size()));
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

ByteSpan withoutSpace(std::string_view text, ByteSpan bytes) {
  const auto at = [&](std::int64_t i) { return text[static_cast<std::size_t>(i)]; };
  while (bytes.begin < bytes.end && isSpace(at(bytes.begin))) ++bytes.begin;
  while (bytes.begin < bytes.end && isSpace(at(bytes.end - 1))) --bytes.end;
  return bytes;
}

}  // namespace

std::vector<TokenPassage> sentencePassages(std::string_view text, std::span<const ByteSpan> spans,
                                           std::int64_t textBegin) {
  std::vector<TokenPassage> passages;
  const std::vector<std::int64_t> all = borders(text);
  std::size_t token = 0;
  const auto writesBefore = [&](std::int64_t byte) {
    return token < spans.size() && spans[token].end <= byte + textBegin;
  };
  while (writesBefore(0)) ++token;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    const auto first = static_cast<std::int64_t>(token);
    while (writesBefore(all[i + 1])) ++token;
    const ByteSpan bytes = withoutSpace(text, {all[i], all[i + 1]});
    const auto end = static_cast<std::int64_t>(token);
    if (end > first && bytes.end > bytes.begin) passages.push_back({first, end, bytes});
  }
  return passages;
}

std::vector<TokenPassage> paragraphPassages(std::string_view text,
                                            std::span<const TokenPassage> sentences) {
  const std::vector<std::int64_t> begins = paragraphBegins(text);
  const auto blankLineBetween = [&](std::int64_t end, std::int64_t begin) {
    const auto next = std::upper_bound(begins.begin(), begins.end(), end);
    return next != begins.end() && *next <= begin;
  };
  std::vector<TokenPassage> paragraphs;
  for (const TokenPassage& sentence : sentences) {
    if (paragraphs.empty() || blankLineBetween(paragraphs.back().bytes.end, sentence.bytes.begin)) {
      paragraphs.push_back(sentence);
    } else {
      paragraphs.back().endToken = sentence.endToken;
      paragraphs.back().bytes.end = sentence.bytes.end;
    }
  }
  return paragraphs;
}

std::vector<std::int64_t> passageBorders(std::span<const TokenPassage> passages,
                                         std::int64_t tokens) {
  if (passages.empty() || tokens < 1) return {};
  std::vector<std::int64_t> borders{0};
  for (const TokenPassage& passage : passages.subspan(1)) {
    if (passage.firstToken > borders.back() && passage.firstToken < tokens) {
      borders.push_back(passage.firstToken);
    }
  }
  borders.push_back(tokens);
  return borders;
}

std::int64_t passageOf(std::span<const TokenPassage> passages, std::int64_t token) {
  const auto after = std::upper_bound(
      passages.begin(), passages.end(), token,
      [](std::int64_t value, const TokenPassage& each) { return value < each.firstToken; });
  if (after == passages.begin() || token >= (after - 1)->endToken) return -1;
  return after - passages.begin() - 1;
}

std::vector<double> passageSums(std::span<const TokenPassage> passages,
                                std::span<const double> perToken, std::int64_t firstToken) {
  std::vector<double> sums;
  const auto tokens = static_cast<std::int64_t>(perToken.size());
  for (const TokenPassage& each : passages) {
    double sum = 0.0;
    for (auto token = std::max(firstToken, each.firstToken);
         token < std::min(each.endToken, tokens); ++token) {
      sum += perToken[static_cast<std::size_t>(token)];
    }
    sums.push_back(sum);
  }
  return sums;
}

std::vector<double> passageMeans(std::span<const TokenPassage> passages,
                                 std::span<const double> perToken, std::int64_t leastTokens) {
  std::vector<double> means;
  const auto tokens = static_cast<std::int64_t>(perToken.size());
  for (const TokenPassage& each : passages) {
    double sum = 0.0;
    std::int64_t count = 0;
    for (auto token = each.firstToken; token < std::min(each.endToken, tokens); ++token) {
      const double value = perToken[static_cast<std::size_t>(token)];
      if (std::isnan(value)) continue;
      sum += value;
      ++count;
    }
    const bool enough = count > 0 && count >= leastTokens;
    means.push_back(enough ? sum / static_cast<double>(count)
                           : std::numeric_limits<double>::quiet_NaN());
  }
  return means;
}

std::vector<std::size_t> largest(std::span<const double> values, std::size_t count) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] > 0.0) order.push_back(i);  // NaN compares false
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  order.resize(std::min(count, order.size()));
  return order;
}

}  // namespace ropescope
