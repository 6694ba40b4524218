#include "core/eval/paired_comparison.h"

#include <algorithm>
#include <cmath>

namespace ropescope {
namespace {

struct BookSum {
  std::string book;
  std::int64_t windows = 0;
  double sum = 0.0;
};

// In order of first appearance: the same input gives the same sums in the same order.
std::vector<BookSum> sumByBook(const std::vector<BookValue>& values) {
  std::vector<BookSum> books;
  for (const BookValue& each : values) {
    auto found = std::find_if(books.begin(), books.end(),
                              [&](const BookSum& book) { return book.book == each.book; });
    if (found == books.end()) found = books.insert(found, {each.book, 0, 0.0});
    ++found->windows;
    found->sum += each.value;
  }
  return books;
}

Status checkFinite(const std::vector<BookValue>& values) {
  if (values.empty()) {
    return Error{ErrorCode::InvalidArgument,
                 "there are no windows to compare; give books that are longer than one window"};
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i].value)) continue;
    return Error{ErrorCode::InvalidArgument, "window " + std::to_string(i) + " of book '" +
                                                 values[i].book +
                                                 "' has a loss that is no finite number; measure "
                                                 "it again"};
  }
  return Done{};
}

std::string noteFor(std::int64_t books) {
  if (books == 1) {
    return "all windows are of one book: how much books differ cannot be told, so there is no "
           "standard error";
  }
  if (books < kFewBooks) {
    return "only " + std::to_string(books) + " books: the standard error has " +
           std::to_string(books - 1) + (books == 2 ? " degree" : " degrees") +
           " of freedom and is itself rough";
  }
  return {};
}

}  // namespace

Result<ClusteredMean> clusteredMean(const std::vector<BookValue>& values) {
  if (Status finite = checkFinite(values); !finite) return finite.error();
  const std::vector<BookSum> books = sumByBook(values);
  double sum = 0.0;
  for (const BookSum& book : books) sum += book.sum;
  const auto count = static_cast<double>(values.size());
  ClusteredMean result{.windows = static_cast<std::int64_t>(values.size()),
                       .books = static_cast<std::int64_t>(books.size()),
                       .mean = sum / count,
                       .standardError = std::nullopt};
  if (books.size() < 2) return result;
  double squares = 0.0;
  for (const BookSum& book : books) {
    const double residual = book.sum - static_cast<double>(book.windows) * result.mean;
    squares += residual * residual;
  }
  const auto clusters = static_cast<double>(books.size());
  result.standardError = std::sqrt(clusters / (clusters - 1.0) * squares) / count;
  return result;
}

Result<PairedComparison> comparePaired(const std::vector<PairedLoss>& windows) {
  std::vector<BookValue> differences;
  differences.reserve(windows.size());
  for (const PairedLoss& each : windows) {
    differences.push_back({each.book, each.candidate - each.baseline});
  }
  const auto mean = clusteredMean(differences);
  if (!mean) return mean.error();
  PairedComparison result;
  result.windows = mean->windows;
  result.books = mean->books;
  result.meanDifference = mean->mean;
  result.standardError = mean->standardError;
  result.relativeGain = -std::expm1(mean->mean);
  if (mean->standardError) {
    result.relativeGainError = std::exp(mean->mean) * *mean->standardError;
  }
  result.note = noteFor(mean->books);
  for (const BookSum& book : sumByBook(differences)) {
    result.perBook.push_back(
        {book.book, book.windows, book.sum / static_cast<double>(book.windows)});
  }
  return result;
}

std::optional<bool> PairedComparison::exceeds(double factor) const {
  if (!standardError) return std::nullopt;
  return std::abs(meanDifference) > factor * *standardError;
}

}  // namespace ropescope
