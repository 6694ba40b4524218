#include "tests/app/cli_process.h"

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ropescope::cli_tests {
namespace {

using namespace std::chrono_literals;

// In the child: never returns.
[[noreturn]] void become(const Call& call, const fs::path& out, const fs::path& err) {
  for (const auto& [name, value] : call.environment) ::setenv(name.c_str(), value.c_str(), 1);
  const int outFile = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int errFile = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (outFile < 0 || errFile < 0) ::_exit(126);
  ::dup2(outFile, STDOUT_FILENO);
  ::dup2(errFile, STDERR_FILENO);
  const std::string name = (call.program.empty() ? program() : call.program).string();
  std::vector<std::string> texts = {name};
  texts.insert(texts.end(), call.arguments.begin(), call.arguments.end());
  std::vector<char*> arguments;
  for (auto& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  ::execv(name.c_str(), arguments.data());
  ::_exit(127);
}

void interruptWhenReady(pid_t child, const Call& call, const fs::path& err) {
  const auto ready = [&] {
    if (call.interruptWhen) return call.interruptWhen();
    return call.interruptAfter.empty()
               ? fs::exists(call.interruptOnceExists)
               : fileText(err).find(call.interruptAfter) != std::string::npos;
  };
  const auto end = std::chrono::steady_clock::now() + 300s;
  while (std::chrono::steady_clock::now() < end && ::kill(child, 0) == 0 && !ready()) {
    std::this_thread::sleep_for(20ms);
  }
  ::kill(child, call.interruptSignal);
}

}  // namespace

Outcome run(const Call& call) {
  const TempDir folder;
  const fs::path out = call.standardOut.empty() ? folder.path() / "out" : call.standardOut;
  const fs::path err = folder.path() / "err";
  writeText(err, "");
  const pid_t child = ::fork();
  if (child == 0) become(call, out, err);
  if (!call.interruptAfter.empty() || !call.interruptOnceExists.empty() || call.interruptWhen) {
    interruptWhenReady(child, call, err);
  }
  int state = 0;
  ::waitpid(child, &state, 0);
  Outcome outcome;
  outcome.status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  if (call.standardOut.empty()) outcome.out = fileText(out);
  outcome.err = fileText(err);
  return outcome;
}

Json result(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--json", "-"});
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  Json json = Json::parse(outcome.out, nullptr, /*allow_exceptions=*/false);
  EXPECT_TRUE(json.is_object()) << "standard output holds more than the object: " << outcome.out;
  return json;
}

std::string fileText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

void writeText(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

fs::path program() {
  return ROPESCOPE_CLI;
}
fs::path stories() {
  return fs::path(ROPESCOPE_TESTS_DIR) / "fixtures" / "stories260K";
}
fs::path bookworm() {
  return fs::path(ROPESCOPE_RESOURCES_DIR) / "models" / "bookworm-11m";
}

namespace {

Json firstSample() {
  const auto text = fileText(fs::path(ROPESCOPE_RESOURCES_DIR) / "samples" / "samples.json");
  return Json::parse(text).at("samples").at(0);
}

}  // namespace

fs::path sample() {
  return fs::path(ROPESCOPE_RESOURCES_DIR) / "samples" /
         firstSample().at("file").get<std::string>();
}
Json sampleFacts() {
  return firstSample().at("facts");
}

}  // namespace ropescope::cli_tests
