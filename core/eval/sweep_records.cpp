#include "core/eval/sweep_records.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <sstream>

#include "core/base/file_io.h"
#include "core/eval/markdown.h"
#include "core/eval/result_fields.h"

namespace ropescope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// Adds the records of one file after the other.
class Reader {
 public:
  explicit Reader(SweepRecords& records) : m_records(records) {}

  Status read(const fs::path& path) {
    m_file = path.filename().string();
    m_records.files.push_back(m_file);
    const auto text = readFile(path);
    if (!text) return text.error();
    const bool log = text->find("\"ropescope_results\"") < text->find('\n');
    if (log) return readSweep(path);
    // Objects one behind the other, each on a line or on many.
    std::istringstream stream(*text);
    while (stream >> std::ws && stream.peek() != std::char_traits<char>::eof()) {
      Json object;
      try {
        stream >> object;
      } catch (const Json::parse_error& error) {
        return wrong(ErrorCode::CorruptFile, "is no JSON at byte " + std::to_string(error.byte));
      }
      if (Status added = addRun(object); !added) return added;
    }
    return Done{};
  }

  void finish() {
    const auto ofFiles = [&](const auto& record) {
      return record.setting.files == m_lastFiles.at(record.setting.label);
    };
    const auto label = [](const auto& record) { return record.setting.label; };
    dropReplaced(m_records.perplexity, ofFiles, label);
    dropReplaced(m_records.passkey, ofFiles, label);
    dropReplaced(m_records.questions, ofFiles, label);
    dropReplaced(
        m_records.perplexity,
        [&](const auto& record) { return record.bookHash == m_lastBooks.at(record.book); },
        [](const auto& record) { return record.book; });
    if (m_shorterSeries > 0) {
      m_records.notices.push_back(countOf(m_shorterSeries, "cell") +
                                  " were measured with fewer trials as well, those with the most "
                                  "count");
    }
    if (m_records.devices.size() < 2) return;
    std::string devices;
    for (const std::string& device : m_records.devices) {
      devices += (devices.empty() ? "" : " and ") + device;
    }
    m_records.notices.push_back("cells were measured on " + devices +
                                ": differences between settings of different devices hold the "
                                "devices' roundings as well");
  }

 private:
  Error wrong(ErrorCode code, const std::string& what) const {
    return {code, m_file + ": " + what};
  }

  Status readSweep(const fs::path& path) {
    const auto log = readResultLog(path);
    if (!log) return log.error();
    if (!log->notice.empty()) m_records.notices.push_back(m_file + ": " + log->notice);
    const std::string kind = log->settings.value("kind", log->settings.value("command", "?"));
    if (kind != "sweep") {
      return wrong(ErrorCode::InvalidArgument,
                   "is a result file of '" + kind +
                       "'; a report is made of those of sweep, psc train and longrope search");
    }
    if (m_records.header.is_null()) m_records.header = log->settings;
    if (m_records.header != log->settings) {
      return wrong(ErrorCode::InvalidArgument,
                   "was measured under " + log->settings.dump() + ", an earlier file under " +
                       m_records.header.dump() + "; make one report for each");
    }
    for (const ResultJson& record : log->records) {
      if (Status added = addCell(record); !added) return added;
    }
    return Done{};
  }

  static bool isLonger(const PasskeyRecord& a, const PasskeyRecord& b) {
    return a.setting.files == b.setting.files && a.trials > b.trials;
  }
  static bool isLonger(const QuestionRecord& a, const QuestionRecord& b) {
    return a.setting.files == b.setting.files && a.asked > b.asked;
  }
  static bool isLonger(const auto&, const auto&) { return false; }

  // The same cell measured again takes the place of the one before, unless it has fewer trials:
  // those are the first ones of the same series.
  template <class Record>
  void put(std::vector<Record>& records, const std::string& name, Record record) {
    const auto [known, fresh] = m_places.emplace(name, records.size());
    if (fresh) {
      records.push_back(std::move(record));
      return;
    }
    Record& before = records[known->second];
    const bool shorter = isLonger(before, record);
    if (shorter || isLonger(record, before)) {
      ++m_shorterSeries;
    } else {
      m_records.notices.push_back(m_file + ": " + name +
                                  " was measured again, the last one counts");
    }
    if (!shorter) before = std::move(record);
  }

  Status addCell(const ResultJson& record) {
    SweptSetting setting;
    ResultFields fields(record);
    fields.read("base", setting.base);
    fields.read("method", setting.method);
    fields.read("factor", setting.factor);
    fields.read("variant", setting.variant);
    std::string device;
    std::string version;
    fields.read("device", device);
    fields.read("version", version);
    static const ResultJson kNothing = ResultJson::object();
    const ResultJson& key = record.is_object() && record.contains("key") ? record["key"] : kNothing;
    ResultFields keys(key);
    std::string measure;
    std::int64_t length = 0;
    keys.read("measure", measure);
    keys.read("setting", setting.label);
    keys.read("length", length);
    setting.files = keys.list("files").dump();
    fields.take(keys);
    if (record.is_object() && record.contains("seed") && record["seed"].is_number_integer()) {
      setting.seed = record["seed"].get<std::int64_t>();
    }
    if (Status whole = fields.status(); !whole)
      return wrong(whole.error().code, whole.error().message);
    addOnce(m_records.devices, device);
    addOnce(m_records.versions, version);
    m_lastFiles[setting.label] = setting.files;
    const std::string name = setting.label + ", " + measure + " at " + std::to_string(length);
    if (measure == "perplexity") return addPerplexity(record, setting, length, name);
    if (measure == "passkey") return addPasskey(record, setting, length, name);
    if (measure == "questions") return addQuestions(record, setting, length, name);
    return wrong(ErrorCode::CorruptFile, "there is no measure '" + measure + "'");
  }

  static void addOnce(std::vector<std::string>& texts, const std::string& text) {
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
  }

  Status addPerplexity(const ResultJson& record, const SweptSetting& setting, std::int64_t length,
                       const std::string& name) {
    PerplexityRecord cell{.setting = setting, .length = length};
    ResultFields fields(record);
    ResultFields keys(record["key"]);
    keys.read("book", cell.book);
    keys.read("book_sha256", cell.bookHash);
    keys.read("windows_per_book", cell.windowsPerBook);
    fields.take(keys);
    fields.read("book_tokens", cell.bookTokens);
    fields.read("windows_of_book", cell.windowsOfBook);
    for (const ResultJson& end : fields.list("bin_ends")) {
      if (end.is_number_integer()) cell.binEnds.push_back(end.get<std::int64_t>());
    }
    for (const ResultJson& window : fields.list("losses")) {
      std::vector<double> bins;
      for (const ResultJson& bin : window) {
        if (bin.is_number()) bins.push_back(bin.get<double>());
      }
      if (bins.size() != cell.binEnds.size()) {
        return wrong(ErrorCode::CorruptFile, name + " has a window with " +
                                                 std::to_string(bins.size()) + " losses for " +
                                                 std::to_string(cell.binEnds.size()) + " bins");
      }
      cell.losses.push_back(std::move(bins));
    }
    if (Status whole = fields.status(); !whole)
      return wrong(whole.error().code, whole.error().message);
    m_lastBooks[cell.book] = cell.bookHash;
    std::string place = name + ", " + cell.book;
    if (cell.windowsPerBook > 0) place += ", " + countOf(cell.windowsPerBook, "window") + " a book";
    put(m_records.perplexity, place, std::move(cell));
    return Done{};
  }

  Status addPasskey(const ResultJson& record, const SweptSetting& setting, std::int64_t length,
                    const std::string& name) {
    PasskeyRecord cell{.setting = setting, .length = length};
    ResultFields fields(record);
    ResultFields keys(record["key"]);
    keys.read("recipe", cell.recipe);
    fields.take(keys);
    fields.read("depth", cell.depth);
    fields.read("found", cell.found);
    fields.read("trials", cell.trials);
    if (Status whole = fields.status(); !whole)
      return wrong(whole.error().code, whole.error().message);
    const std::string spot = name + " by " + cell.recipe + ", depth " + std::to_string(cell.depth);
    put(m_records.passkey, spot, std::move(cell));
    return Done{};
  }

  Status addQuestions(const ResultJson& record, const SweptSetting& setting, std::int64_t length,
                      const std::string& name) {
    std::vector<QuestionRecord> types;
    ResultFields fields(record);
    for (const ResultJson& each : fields.list("types")) {
      QuestionRecord cell{.setting = setting, .length = length};
      ResultFields own(each);
      own.read("type", cell.type);
      own.read("asked", cell.asked);
      own.read("correct", cell.correct);
      fields.take(own);
      types.push_back(std::move(cell));
    }
    if (Status whole = fields.status(); !whole)
      return wrong(whole.error().code, whole.error().message);
    for (QuestionRecord& cell : types) {
      const std::string place = name + ", " + cell.type;
      put(m_records.questions, place, std::move(cell));
    }
    return Done{};
  }

  // Cells of a content that another one has replaced would be averaged with those of the new one.
  template <class Record>
  void dropReplaced(std::vector<Record>& records, const auto& isLast, const auto& nameOf) {
    std::map<std::string, std::int64_t> dropped;
    for (const Record& record : records) {
      if (!isLast(record)) ++dropped[nameOf(record)];
    }
    std::erase_if(records, [&](const Record& record) { return !isLast(record); });
    for (const auto& [name, count] : dropped) {
      m_records.notices.push_back(countOf(count, "cell") + " of " + name +
                                  " are of an earlier content of its file and left out");
    }
  }

  Status addRun(const Json& run) {
    const std::string command =
        run.is_object() && run.contains("settings") && run["settings"].is_object()
            ? run["settings"].value("command", "?")
            : "?";
    try {
      if (command == "psc train") return addTraining(run);
      if (command == "longrope search") return addSearch(run);
    } catch (const Json::exception& error) {
      return wrong(ErrorCode::CorruptFile,
                   "a result of " + command + " lacks a field (" + std::string(error.what()) + ")");
    }
    return wrong(ErrorCode::InvalidArgument,
                 "is a result of '" + command +
                     "'; a report is made of those of sweep, psc train and longrope search");
  }

  Status addTraining(const Json& run) {
    const Json& settings = run.at("settings");
    const Json& training = settings.at("training");
    const bool lora = training.at("LoRA rank") != "0";
    const bool phase = training.at("phase modules") == "on";
    const auto losses = run.at("losses").get<std::vector<double>>();
    TrainingRecord record{
        .name = fs::path(run.at("out").get<std::string>()).stem().string(),
        .method = settings.at("rope").at("method"),
        .factor = settings.at("rope").at("factor"),
        .context = settings.at("context"),
        .seed = settings.at("seed"),
        .parameters = run.at("parameters"),
        .steps = run.at("steps_done"),
        .stepsWanted = settings.at("steps"),
        .tokensPerStep = run.at("tokens_per_step"),
        .modules = (lora ? "LoRA r" + training.at("LoRA rank").get<std::string>() : "") +
                   (lora && phase ? " + " : "") + (phase ? "PSC" : ""),
        .alpha = training.at("LoRA alpha"),
        .rate = training.at("rate"),
        .init = training.at("init"),
        .corpus = {},
        .seconds = run.at("training_seconds"),
        .dtype = settings.at("dtype"),
        .device = settings.at("device"),
        .end = run.at("end")};
    // Older results name the file by its hash alone.
    if (settings.contains("init") && settings["init"].is_string()) record.init = settings["init"];
    for (const Json& file : settings.at("corpus")) {
      record.corpus.push_back(fs::path(file.get<std::string>()).filename().string());
    }
    record.corpusFiles = settings.value("corpus_files", record.corpus.size());
    if (!losses.empty()) {
      const auto last = std::min(losses.size(), kLastSteps);
      record.firstLoss = losses.front();
      record.lastLoss =
          std::accumulate(losses.end() - static_cast<std::ptrdiff_t>(last), losses.end(), 0.0) /
          static_cast<double>(last);
    }
    const std::string name = "training of " + record.name;
    put(m_records.trainings, name, std::move(record));
    return Done{};
  }

  Status addSearch(const Json& run) {
    if (!run.contains("judge") || run["judge"].is_null()) {
      m_records.notices.push_back(m_file + ": the search was not judged on books it did not see");
      return Done{};
    }
    const Json& judge = run["judge"];
    for (const Json& method : judge.at("methods")) {
      SearchRecord search{
          .name = fs::path(run.at("settings").at("out").get<std::string>()).stem().string(),
          .length = judge.at("length"),
          .evaluations = run.at("evaluations"),
          .windows = judge.at("windows"),
          .books = judge.at("books"),
          .foundPerplexity = judge.at("found").at("perplexity"),
          .method = method.at("method"),
          .methodPerplexity = method.at("perplexity"),
          .difference = method.at("found_minus_method"),
          .error = std::nullopt,
          .dtype = run.at("settings").at("dtype")};
      const Json& error = method.at("difference_standard_error");
      if (error.is_number()) search.error = error.get<double>();
      const std::string name = "search of " + search.name + " against " + search.method;
      put(m_records.searches, name, std::move(search));
    }
    return Done{};
  }

  SweepRecords& m_records;
  std::string m_file;                              // being read
  std::map<std::string, std::size_t> m_places;     // where a cell stands in its list
  std::int64_t m_shorterSeries = 0;                // cells that a longer series holds, too
  std::map<std::string, std::string> m_lastFiles;  // hashes by label
  std::map<std::string, std::string> m_lastBooks;  // hashes by name
};

}  // namespace

Result<SweepRecords> readSweepRecords(const std::vector<fs::path>& files) {
  SweepRecords records;
  Reader reader(records);
  for (const fs::path& file : files) {
    if (Status read = reader.read(file); !read) return read.error();
  }
  reader.finish();
  return records;
}

}  // namespace ropescope
