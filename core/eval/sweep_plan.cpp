#include "core/eval/sweep_plan.h"

#include <map>
#include <set>

#include "core/base/file_io.h"
#include "core/base/memory_size.h"
#include "core/base/sha256.h"
#include "core/rope/rope_method.h"

namespace ropescope {
namespace {

namespace fs = std::filesystem;

std::string sha256Of(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

// Hashes every file once, however many settings name it.
class FileHashes {
 public:
  Result<std::string> of(const fs::path& path) {
    if (const auto known = m_known.find(path); known != m_known.end()) return known->second;
    const auto bytes = readFile(path);
    if (!bytes) return bytes.error();
    return m_known[path] = sha256Of(*bytes);
  }

 private:
  std::map<fs::path, std::string> m_known;
};

// Adds the cells of one setting.
class Planner {
 public:
  Planner(const SweepSettings& settings, const std::vector<SweepBook>& books)
      : m_settings(settings),
        m_books(books) {
    std::string all;
    for (const SweepBook& book : books) {
      m_bookHashes.push_back(sha256Of(book.text));
      all += m_bookHashes.back() + "\n";
    }
    m_booksHash = sha256Of(all);
  }

  void add(std::size_t setting, const ResultJson& files, SweepPlan& plan) const {
    const auto cell = [&](SweepMeasure measure, std::int64_t length) {
      SweepCell made{.setting = setting,
                     .measure = measure,
                     .length = length,
                     .key = {{"measure", measureName(measure)},
                             {"setting", m_settings.settings[setting].label},
                             {"files", files},
                             {"length", length}}};
      // An open factor is that of the longest length.
      if (m_settings.settings[setting].openFactor) made.key["longest"] = longestLength(m_settings);
      return made;
    };
    if (m_settings.perplexity) addPerplexity(cell, plan);
    if (m_settings.passkey) addPasskey(cell, plan);
    if (m_settings.questions) addQuestions(cell, plan);
  }

 private:
  void addPerplexity(const auto& cell, SweepPlan& plan) const {
    for (const std::int64_t length : m_settings.perplexity->lengths) {
      for (std::size_t book = 0; book < m_books.size(); ++book) {
        SweepCell next = cell(SweepMeasure::Perplexity, length);
        next.book = book;
        next.key["book"] = m_books[book].name;
        next.key["book_sha256"] = m_bookHashes[book];
        next.key["windows_per_book"] = m_settings.perplexity->windowsPerBook;
        plan.cells.push_back(std::move(next));
      }
    }
  }

  void addPasskey(const auto& cell, SweepPlan& plan) const {
    const SweepPasskey& passkey = *m_settings.passkey;
    for (const std::int64_t length : passkey.lengths) {
      for (const double depth : passkey.depths) {
        SweepCell next = cell(SweepMeasure::Passkey, length);
        next.depth = depth;
        next.key["depth"] = depth;
        next.key["recipe"] = recipeName(passkey.recipe);
        next.key["trials"] = passkey.trials;
        next.key["seed"] = passkey.seed;
        if (passkey.recipe == PasskeyRecipe::Bookworm) next.key["books_sha256"] = m_booksHash;
        if (!passkey.keepAnswers) next.key["answers"] = false;
        plan.cells.push_back(std::move(next));
      }
    }
  }

  void addQuestions(const auto& cell, SweepPlan& plan) const {
    const SweepQuestions& questions = *m_settings.questions;
    for (const std::int64_t length : questions.lengths) {
      SweepCell next = cell(SweepMeasure::Questions, length);
      next.key["types"] = ResultJson::array();
      for (const QuestionType type : questions.types) {
        next.key["types"].push_back(questionTypeName(type));
      }
      next.key["per_type"] = questions.perType;
      next.key["seed"] = questions.seed;
      next.key["books_sha256"] = m_booksHash;
      if (!questions.keepAnswers) next.key["answers"] = false;
      plan.cells.push_back(std::move(next));
    }
  }

  const SweepSettings& m_settings;
  const std::vector<SweepBook>& m_books;
  std::vector<std::string> m_bookHashes;
  std::string m_booksHash;  // of all, in their order
};

Status checkBooks(const SweepSettings& settings, const std::vector<SweepBook>& books) {
  const bool needed = settings.perplexity || settings.questions ||
                      (settings.passkey && settings.passkey->recipe == PasskeyRecipe::Bookworm);
  if (!books.empty() || !needed) {
    std::set<std::string> names;
    for (const SweepBook& book : books) {
      if (!names.insert(book.name).second) {
        return Error{ErrorCode::InvalidArgument,
                     "two books have the name " + book.name +
                         "; results tell books apart by name, rename one"};
      }
    }
    return Done{};
  }
  return Error{ErrorCode::InvalidArgument,
               "the sweep measures on books and has none; name them under \"books\" in the "
               "settings or with --document"};
}

}  // namespace

std::string_view measureName(SweepMeasure measure) {
  switch (measure) {
    case SweepMeasure::Perplexity:
      return "perplexity";
    case SweepMeasure::Passkey:
      return "passkey";
    case SweepMeasure::Questions:
      return "questions";
  }
  return "perplexity";
}

std::string cellText(const ResultJson& key) {
  std::string text = key["setting"].get<std::string>() + ", " + key["measure"].get<std::string>() +
                     " at " + countText(key["length"].get<std::int64_t>());
  if (key.contains("book")) text += ", " + key["book"].get<std::string>();
  if (key.contains("depth")) text += ", depth " + rope::valueText(key["depth"].get<double>());
  return text;
}

Result<SweepPlan> planSweep(const SweepSettings& settings, const std::vector<SweepBook>& books) {
  if (Status enough = checkBooks(settings, books); !enough) return enough.error();
  SweepPlan plan;
  FileHashes hashes;
  const Planner planner(settings, books);
  for (std::size_t i = 0; i < settings.settings.size(); ++i) {
    const SweepSetting& setting = settings.settings[i];
    ResultJson files = ResultJson::array();
    const auto waiting = plan.waiting.size();
    for (const fs::path& path : setting.files) {
      std::error_code ignored;
      if (!fs::exists(path, ignored)) {
        plan.waiting.push_back({setting.label, path.string()});
        continue;
      }
      const auto hash = hashes.of(path);
      if (!hash) return hash.error();
      files.push_back(*hash);
    }
    if (plan.waiting.size() == waiting) planner.add(i, files, plan);
  }
  return plan;
}

std::vector<SweepCell> missingCells(const std::vector<SweepCell>& cells,
                                    const std::vector<ResultJson>& records) {
  std::set<std::string> known;
  for (const ResultJson& record : records) {
    if (record.is_object() && record.contains("key")) known.insert(record["key"].dump());
  }
  std::vector<SweepCell> missing;
  for (const SweepCell& cell : cells) {
    if (!known.contains(cell.key.dump())) missing.push_back(cell);
  }
  return missing;
}

}  // namespace ropescope
