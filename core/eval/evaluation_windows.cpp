#include "core/eval/evaluation_windows.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/memory_size.h"

namespace ropescope {
namespace {

constexpr std::int64_t kFirstBinEnd = 1024;

// Which of `available` windows to take, in order.
std::vector<std::int64_t> chosenWindows(std::int64_t available, std::int64_t most) {
  const std::int64_t count = most == 0 ? available : std::min(available, most);
  std::vector<std::int64_t> chosen;
  for (std::int64_t j = 0; j < count; ++j) {
    chosen.push_back((2 * j + 1) * available / (2 * count));
  }
  return chosen;
}

Status checkBins(const std::vector<std::int64_t>& ends, std::int64_t length) {
  const bool ascend =
      std::adjacent_find(ends.begin(), ends.end(), std::greater_equal<>()) == ends.end();
  if (!ends.empty() && ends.front() >= 2 && ascend && ends.back() == length) return Done{};
  return Error{ErrorCode::InvalidArgument,
               "the position bins must start at 2 or more, ascend and end at the window length " +
                   std::to_string(length)};
}

// nll[i] is of the token at index i + 1.
WindowLoss binned(const EvaluationWindow& window, const std::vector<double>& nll,
                  const std::vector<std::int64_t>& binEnds) {
  WindowLoss loss{
      .book = window.book, .begin = window.begin, .scored = 0, .meanLoss = 0.0, .bins = {}};
  double total = 0.0;
  std::int64_t begin = 0;
  for (const std::int64_t end : binEnds) {
    const auto first = nll.begin() + std::max<std::int64_t>(begin - 1, 0);
    const auto last = nll.begin() + (end - 1);
    const double sum = std::accumulate(first, last, 0.0);
    const std::int64_t scored = last - first;
    loss.bins.push_back({begin, end, scored, sum / static_cast<double>(scored)});
    total += sum;
    loss.scored += scored;
    begin = end;
  }
  loss.meanLoss = total / static_cast<double>(loss.scored);
  return loss;
}

Status checkWindows(const std::vector<EvaluationWindow>& windows) {
  if (windows.empty()) {
    return Error{ErrorCode::InvalidArgument,
                 "there are no windows to score; give books that are longer than one window"};
  }
  for (const EvaluationWindow& window : windows) {
    if (window.ids.size() == windows.front().ids.size()) continue;
    return Error{ErrorCode::InvalidArgument, "windows of " +
                                                 std::to_string(windows.front().ids.size()) +
                                                 " and of " + std::to_string(window.ids.size()) +
                                                 " tokens are mixed; score each length by itself"};
  }
  return Done{};
}

}  // namespace

Result<std::vector<EvaluationWindow>> evaluationWindows(const std::vector<EvaluationBook>& books,
                                                        const WindowConfig& config) {
  const std::int64_t own = config.length - (config.bos ? 1 : 0);
  if (config.length < 2 || config.mostPerBook < 0) {
    return Error{ErrorCode::InvalidArgument,
                 "windows of " + std::to_string(config.length) + " tokens, at most " +
                     std::to_string(config.mostPerBook) +
                     " a book, were asked for; at least 2 tokens and 0 (all) or more are wanted"};
  }
  std::vector<EvaluationWindow> windows;
  std::int64_t longest = 0;
  for (const EvaluationBook& book : books) {
    const auto size = static_cast<std::int64_t>(book.ids.size());
    longest = std::max(longest, size);
    for (const std::int64_t index : chosenWindows(size / own, config.mostPerBook)) {
      EvaluationWindow window{.book = book.name, .begin = index * own, .ids = {}};
      if (config.bos) window.ids.push_back(*config.bos);
      const auto first = book.ids.begin() + window.begin;
      window.ids.insert(window.ids.end(), first, first + own);
      windows.push_back(std::move(window));
    }
  }
  if (!windows.empty()) return windows;
  return Error{ErrorCode::InvalidArgument,
               "no book is long enough for a window of " + countText(config.length) +
                   " tokens: the longest of " + std::to_string(books.size()) + " has " +
                   countText(longest) + "; give longer books or a shorter length"};
}

std::optional<std::int32_t> bosOf(const Engine& engine) {
  const auto tokenizer = engine.tokenizer();
  if (!tokenizer || !(*tokenizer)->addsBos()) return std::nullopt;
  return (*tokenizer)->bos();
}

std::optional<double> WindowLoss::meanTo(std::int64_t end) const {
  double sum = 0.0;
  std::int64_t count = 0;
  for (const PositionBin& bin : bins) {
    sum += bin.meanLoss * static_cast<double>(bin.scored);
    count += bin.scored;
    if (bin.end == end) return sum / static_cast<double>(count);
  }
  return std::nullopt;
}

std::vector<std::int64_t> defaultBinEnds(std::int64_t length) {
  std::vector<std::int64_t> ends;
  for (std::int64_t end = kFirstBinEnd; end < length; end *= 2) ends.push_back(end);
  ends.push_back(length);
  return ends;
}

Result<std::vector<WindowLoss>> windowLosses(const Engine& engine, const CurveSettings& settings,
                                             const std::vector<EvaluationWindow>& windows,
                                             const std::vector<std::int64_t>& binEnds,
                                             const JobControl& job) {
  if (Status same = checkWindows(windows); !same) return same.error();
  const auto length = static_cast<std::int64_t>(windows.front().ids.size());
  if (Status valid = checkBins(binEnds, length); !valid) return valid.error();
  rope::MethodChoice rope = settings.rope;
  if (settings.factorFollowsLength) rope.factor.reset();  // length / trained length
  auto session = engine.newSession({.rope = rope,
                                    .contextTokens = length,
                                    .calibration = settings.calibration,
                                    .pscStrength = settings.pscStrength,
                                    .lora = settings.lora,
                                    .chunkTokens = engine.batchChunkTokens()});
  if (!session) return session.error();
  JobControl inner = job;
  std::vector<WindowLoss> losses;
  for (const EvaluationWindow& window : windows) {
    const auto done = static_cast<std::int64_t>(losses.size()) * length;
    const auto total = static_cast<std::int64_t>(windows.size()) * length;
    inner.onProgress = [&](const Progress& p) {
      job.report({settings.label + ", windows of " + countText(length), done + p.done, total});
    };
    const auto score = (*session)->score(window.ids, {}, inner);
    if (!score) return score.error();
    for (const double nll : score->nll) {
      if (std::isfinite(nll)) continue;
      return Error{ErrorCode::Internal, "the loss in " + window.book + " at token " +
                                            std::to_string(window.begin) +
                                            " is no finite number; try --dtype float32"};
    }
    losses.push_back(binned(window, score->nll, binEnds));
  }
  return losses;
}

}  // namespace ropescope
