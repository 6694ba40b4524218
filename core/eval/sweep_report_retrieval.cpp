// Pass keys and questions of a sweep's report.
#include <algorithm>
#include <map>
#include <set>

#include "core/base/memory_size.h"
#include "core/eval/markdown.h"
#include "core/eval/passkey_prompt.h"
#include "core/eval/proportion.h"
#include "core/eval/sweep_report.h"

namespace ropescope {
namespace {

constexpr const char* kNone = "–";

struct Share {
  std::int64_t right = 0;
  std::int64_t asked = 0;
};

// Rows in the order of the other tables; the seeds of a variant are added up.
template <class Column, class Record>
class Grid {
 public:
  using Row = std::map<Column, Share>;

  void add(const Record& record, const Column& column, std::int64_t right, std::int64_t asked) {
    const SweptSetting& setting = record.setting;
    const std::pair name(setting.base, setting.variant);
    if (!m_rows.contains(name)) {
      m_groups.push_back({setting.base, setting.method, setting.factor, setting.variant});
    }
    Share& share = m_rows[name][column];
    share.right += right;
    share.asked += asked;
    m_columns.insert(column);
  }
  std::vector<LossGroup> groups() const { return inReportOrder(m_groups); }
  const Row& row(const LossGroup& group) const { return m_rows.at({group.base, group.variant}); }
  const std::set<Column>& columns() const { return m_columns; }

 private:
  std::vector<LossGroup> m_groups;
  std::map<std::pair<std::string, std::string>, Row> m_rows;  // base, variant
  std::set<Column> m_columns;
};

using Spot = std::pair<std::int64_t, double>;  // length, depth
using KeyGrid = Grid<Spot, PasskeyRecord>;

std::set<std::int64_t> lengthsOf(const KeyGrid& grid) {
  std::set<std::int64_t> lengths;
  for (const auto& [length, depth] : grid.columns()) lengths.insert(length);
  return lengths;
}

std::set<double> depthsOf(const KeyGrid& grid) {
  std::set<double> depths;
  for (const auto& [length, depth] : grid.columns()) depths.insert(depth);
  return depths;
}

// "48/50 (9 10 10 10 9)": all depths together, then each.
std::string lengthCell(const KeyGrid& grid, const KeyGrid::Row& row, std::int64_t length) {
  Share all;
  std::string each;
  for (const double depth : depthsOf(grid)) {
    const auto found = row.find({length, depth});
    each += each.empty() ? "" : " ";
    if (found == row.end()) {
      each += kNone;
      continue;
    }
    all.right += found->second.right;
    all.asked += found->second.asked;
    each += std::to_string(found->second.right);
  }
  if (all.asked == 0) return kNone;
  return std::to_string(all.right) + "/" + std::to_string(all.asked) + " (" + each + ")";
}

// The longest length at which, and at every shorter one, every depth reaches the threshold; "at
// least" where the next length is not measured at every depth.
std::string effectiveLength(const KeyGrid& grid, const KeyGrid::Row& row, double threshold) {
  std::int64_t longest = 0;
  for (const std::int64_t length : lengthsOf(grid)) {
    bool whole = true;
    for (const double depth : depthsOf(grid)) {
      const auto found = row.find({length, depth});
      if (found == row.end()) {
        whole = false;
        continue;
      }
      const Share& share = found->second;
      const bool reached =
          static_cast<double>(share.right) >= threshold * static_cast<double>(share.asked);
      if (!reached) return longest == 0 ? "none" : countText(longest);
    }
    if (!whole) return longest == 0 ? "not measured" : "at least " + countText(longest);
    longest = length;
  }
  return countText(longest);
}

// With few trials a length that a longer series loses by one key stands.
bool trialsDiffer(const KeyGrid& grid) {
  std::set<std::int64_t> trials;
  for (const LossGroup& group : grid.groups()) {
    for (const auto& [spot, share] : grid.row(group)) trials.insert(share.asked);
  }
  return trials.size() > 1;
}

std::string recipePart(const std::string& name, const KeyGrid& grid) {
  const auto recipe = findRecipe(name);
  const double threshold = recipe ? recipeThreshold(*recipe) : 1.0;
  std::vector<std::string> header = {"setting", "variant", "effective context"};
  for (const std::int64_t length : lengthsOf(grid)) header.push_back(countText(length));
  MarkdownTable table(header);
  for (const LossGroup& group : grid.groups()) {
    const auto& row = grid.row(group);
    std::vector<std::string> cells = {"`" + group.base + "`", group.variant,
                                      effectiveLength(grid, row, threshold)};
    for (const std::int64_t length : lengthsOf(grid)) {
      cells.push_back(lengthCell(grid, row, length));
    }
    table.add(std::move(cells));
  }
  std::string depthText;
  for (const double depth : depthsOf(grid)) {
    depthText += (depthText.empty() ? "" : ", ") + fixedText(100.0 * depth, 0);
  }
  return "### Recipe " + name + "\n\n" +
         (recipe ? "Prompt: " + std::string(recipeText(*recipe)) + ". " : std::string()) +
         "Keys found of all, in brackets at each depth (" + depthText +
         " % of the text before the key). Effective context: the longest length at which, and at "
         "every shorter one, at least " +
         fixedText(100.0 * threshold, 0) + " % are found at every depth." +
         (trialsDiffer(grid) ? " Settings differ in their number of keys: the more keys, the "
                               "harder it is to reach; compare the counts."
                             : "") +
         "\n\n" + table.text();
}

std::string shareText(const Share& share) {
  const auto interval = wilsonInterval(share.right, share.asked);
  return std::to_string(share.right) + "/" + std::to_string(share.asked) + " (" +
         fixedText(100.0 * interval.low, 0) + "–" + fixedText(100.0 * interval.high, 0) + " %)";
}

}  // namespace

std::string passkeySection(const std::vector<PasskeyRecord>& records, const std::string& dtype) {
  std::map<std::string, KeyGrid> recipes;
  for (const PasskeyRecord& record : records) {
    recipes[record.recipe].add(record, {record.length, record.depth}, record.found, record.trials);
  }
  std::string text;
  for (const auto& [name, grid] : recipes) text += recipePart(name, grid);
  return text.empty() ? ""
                      : "## Pass keys\n\nThe likeliest tokens, " + dtype +
                            ". The seeds of a variant are added "
                            "up.\n\n" +
                            text;
}

std::string questionSection(const std::vector<QuestionRecord>& records, const std::string& dtype) {
  std::map<std::string, Grid<std::int64_t, QuestionRecord>> types;
  for (const QuestionRecord& record : records) {
    types[record.type].add(record, record.length, record.correct, record.asked);
  }
  std::string text;
  for (const auto& [type, grid] : types) {
    std::vector<std::string> header = {"setting", "variant"};
    for (const std::int64_t length : grid.columns()) header.push_back(countText(length));
    MarkdownTable table(header);
    for (const LossGroup& group : grid.groups()) {
      const auto& shares = grid.row(group);
      std::vector<std::string> row = {"`" + group.base + "`", group.variant};
      for (const std::int64_t length : grid.columns()) {
        const auto found = shares.find(length);
        row.push_back(found == shares.end() ? kNone : shareText(found->second));
      }
      table.add(std::move(row));
    }
    text += "### " + type + "\n\n" + table.text();
  }
  if (text.empty()) return {};
  return "## Questions\n\nQuestions of the bundled model's kinds about books it never saw, by the "
         "tokens of document, question and answer; the likeliest tokens, " +
         dtype +
         ", right only to the word. In brackets Wilson's "
         "interval at 95 %, which takes questions as independent. The seeds of a variant are added "
         "up.\n\n" +
         text;
}

}  // namespace ropescope
