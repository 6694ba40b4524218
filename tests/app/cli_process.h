// Runs ropescope-cli as a person would and reads what it says.
#pragma once

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/types.h>

#include "tests/support/temp_dir.h"

namespace ropescope::cli_tests {

using Json = nlohmann::json;
namespace fs = std::filesystem;
using test::TempDir;

struct Outcome {
  int status = -1;  // exit status; 128 + N after signal N
  std::string out;
  std::string err;
};

struct Call {
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment = {};
  fs::path program = {};      // empty: the one just built
  fs::path standardOut = {};  // empty: collected in Outcome::out
  // Once standard error holds this, or this file is there, the program gets the signal.
  std::string interruptAfter = {};
  fs::path interruptOnceExists = {};
  std::function<bool()> interruptWhen = {};  // or once this holds
  int interruptSignal = SIGINT;
};

Outcome run(const Call& call);
inline Outcome run(std::vector<std::string> arguments) {
  return run(Call{.arguments = std::move(arguments)});
}

// The object that `arguments` --json - write. Fails the test when the call does.
Json result(std::vector<std::string> arguments);

std::string fileText(const fs::path& path);
void writeText(const fs::path& path, const std::string& text);

fs::path program();
fs::path stories();   // model folder, context 512
fs::path bookworm();  // model folder, trained length 1,024
fs::path sample();    // the first one: three planted facts
Json sampleFacts();   // [{"question", "answer"}]

}  // namespace ropescope::cli_tests
