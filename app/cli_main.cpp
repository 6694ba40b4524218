// The command line: picks a command, runs it, writes its result or its error, returns its status.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

#include <unistd.h>

#include "app/app_info.h"
#include "app/cli/commands.h"
#include "app/cli/interrupt.h"
#include "app/cli/option_table.h"
#include "app/cli/options.h"
#include "core/base/file_io.h"
#include "core/engine/tensor_memory.h"

namespace ropescope::cli {

constexpr int kExitFailed = 1;

namespace {

namespace fs = std::filesystem;

constexpr int kExitDone = 0;
constexpr int kExitUsage = 2;

// One field a line: readable, yet long arrays stay on their line.
std::string jsonText(const Json& object) {
  std::string text = "{";
  bool first = true;
  for (const auto& [name, value] : object.items()) {
    text += std::string(first ? "\n" : ",\n") + " " + Json(name).dump() + ": " +
            value.dump(-1, ' ', false, Json::error_handler_t::replace);
    first = false;
  }
  return text + "\n}\n";
}

Status writeJson(const fs::path& target, const Json& object) {
  const std::string text = jsonText(object);
  if (target != "-") return writeFileAtomically(target, text);
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return Done{};
  }
  return Error{ErrorCode::Device,
               "standard output cannot be written (disk full or closed); the result is lost there, "
               "name a file with --json FILE"};
}

Json errorJson(const Error& error) {
  return {{"error", {{"code", errorCodeName(error.code)}, {"message", error.message}}}};
}

// Results are written beside their place first: the folder must take a new file.
bool takesNewFile(const fs::path& target) {
  std::error_code ignored;
  const fs::path place = fs::weakly_canonical(target, ignored);  // of a link: where it leads
  std::string probe = (place.empty() ? target : place).string() + ".XXXXXX";
  const int file = ::mkstemp(probe.data());
  if (file < 0) return false;
  ::close(file);
  ::unlink(probe.c_str());
  return true;
}

// Before long work: an output whose folder is missing would cost the whole result.
Status checkTarget(const std::optional<fs::path>& target, const char* option) {
  if (!target || *target == "-") return Done{};
  std::error_code ignored;
  const fs::path folder = target->has_parent_path() ? target->parent_path() : fs::path(".");
  if (fs::is_directory(*target, ignored)) {
    return Error{ErrorCode::InvalidArgument, std::string(option) + " is the folder " +
                                                 target->string() + "; name a file in it"};
  }
  if (!fs::is_directory(folder, ignored)) {
    return Error{ErrorCode::NotFound, std::string(option) + ": there is no folder " +
                                          folder.string() + "; make it or name another"};
  }
  const bool exists = fs::exists(*target, ignored);
  const bool inPlace = exists && !fs::is_regular_file(*target, ignored);  // a device, a pipe
  if ((exists && ::access(target->c_str(), W_OK) != 0) || (!inPlace && !takesNewFile(*target))) {
    return Error{ErrorCode::Device, std::string(option) + ": " + target->string() +
                                        " cannot be written (" + std::strerror(errno) +
                                        "); change the permissions of file and folder or name "
                                        "another file"};
  }
  return Done{};
}

Status checkTargets(const Options& options) {
  if (Status json = checkTarget(options.json, "--json"); !json) return json;
  if (Status csv = checkTarget(options.csv, "--csv"); !csv) return csv;
  if (Status wide = checkTarget(options.wideCsv, "--wide-csv"); !wide) return wide;
  return checkTarget(options.png, "--png");
}

Status work(Run& run) {
  if (Status targets = checkTargets(run.options()); !targets) return targets;
  const CommandSpec& command = *findCommand(run.options().command);
  // A report, and pictures of what an experiment recorded, are made of files alone.
  const bool pictures = command.name == "render" && run.options().experiment.file;
  const bool needsModel = command.usesModel && run.options().sweep.report.empty() && !pictures;
  if (Status loaded = needsModel ? run.loadEngine() : Status(Done{}); !loaded) return loaded;
  return command.run(run);
}

// An exception is a mistake of ours or of a library; it still becomes a sentence.
Status guardedWork(Run& run) {
  try {
    return work(run);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::OutOfMemory,
                 "the memory did not suffice; plan a shorter --context or close other programs"};
  } catch (const std::exception& exception) {
    const std::string what = exception.what();
    return Error{ErrorCode::Internal,
                 "an unexpected failure inside the program: " + what.substr(0, what.find('\n')) +
                     "; please report it with the command line"};
  }
}

// Fields that scripts expect although the run was stopped before they were known.
void fillMissing(const Options& options, Json& fields) {
  for (const auto name : findCommand(options.command)->results) {
    if (!fields.contains(name)) fields[std::string(name)] = nullptr;
  }
}

int fail(Console& console, const std::optional<fs::path>& json, const Error& error, int status,
         const Json& measured = Json::object()) {
  console.error(error.message);
  if (!json) return status;
  Json object = errorJson(error);
  object.update(measured);
  if (Status written = writeJson(*json, object); !written) {
    console.error(written.error().message);
  }
  return status;
}

int runCommand(const Options& options) {
  const Interrupt interrupt;
  Console console(options.json.has_value());
  Run run(options, console, interrupt.token());
  const Status done = guardedWork(run);
  console.endProgress();
  // Nothing can be written where there is no place for it.
  const bool jsonUsable = static_cast<bool>(checkTarget(options.json, "--json"));
  const bool interrupted =
      run.stopRequested() && (done || done.error().code == ErrorCode::Cancelled);
  if (!done && !interrupted) {
    return fail(console, jsonUsable ? options.json : std::nullopt, done.error(), kExitFailed,
                run.keepsResult() ? run.envelope() : Json::object());
  }
  if (interrupted) {
    run.fields()["interrupted"] = true;
    fillMissing(options, run.fields());
    console.error(options.json ? "interrupted; the result so far is written" : "interrupted");
  }
  if (options.json) {
    if (Status written = writeJson(*options.json, run.envelope()); !written) {
      console.error(written.error().message);
      return kExitFailed;
    }
  }
  if (!console.flushed()) {
    console.error(
        "the output could not be written (disk full or closed); free some space and run "
        "again");
    return kExitFailed;
  }
  return interrupted ? kExitInterrupted : kExitDone;
}

int printText(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return std::fflush(stdout) == 0 ? kExitDone : kExitFailed;
}

int runArguments(const std::vector<std::string>& arguments) {
  const ParseResult parsed = parseCommandLine(arguments);
  if (const auto* help = std::get_if<HelpRequest>(&parsed)) return printText(help->text);
  if (std::holds_alternative<VersionRequest>(parsed)) {
    return printText(std::string(kAppName) + " " + kAppVersion + "\n");
  }
  if (const auto* failure = std::get_if<ParseFailure>(&parsed)) {
    Console console(failure->json.has_value());
    return fail(console, failure->json, {ErrorCode::InvalidArgument, failure->message}, kExitUsage);
  }
  return runCommand(std::get<Options>(parsed));
}

}  // namespace
}  // namespace ropescope::cli

int main(int argc, char** argv) {
  try {
    ropescope::reuseTensorMemory();
    return ropescope::cli::runArguments({argv + 1, argv + argc});
  } catch (const std::exception& exception) {  // while reading arguments or writing a result
    std::fprintf(stderr, "ropescope-cli: an unexpected failure inside the program: %s\n",
                 exception.what());
    return ropescope::cli::kExitFailed;
  }
}
