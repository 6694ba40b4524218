// Names of commands and options, and how the text of an option becomes a value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/cli/options.h"
#include "core/base/result.h"

namespace ropescope::cli {

enum class Arity {
  Flag,      // no value
  Once,      // one value, given once
  Repeated,  // one value each time
  Many,      // all values up to the next option, any number of times
};

struct OptionSpec {
  std::string_view name;   // "--rope"
  std::string_view value;  // "METHOD"; empty for a flag
  std::string_view help;
  Arity arity = Arity::Once;
  // Puts `text` into the options. The error is what was wanted: "a whole number of at least 1".
  Status (*set)(Options& options, std::string_view text) = nullptr;
};

const std::vector<OptionSpec>& optionTable();
const OptionSpec* findOption(std::string_view name);

class Run;
using Command = Status (*)(Run& run);

struct CommandSpec {
  std::string_view name;  // one word or two: "psc train"
  std::string_view usage;
  std::string_view summary;
  Command run = nullptr;
  std::vector<std::string_view> options = {};   // its own
  bool usesModel = true;                        // loads one before it runs
  bool usesPlan = true;                         // takes the options of the plan too
  std::vector<std::string_view> required = {};  // "--document|--tokens": exactly one of them
  std::vector<std::string_view> examples = {};
  std::vector<std::string_view> results = {};  // fields that every result has, null if interrupted
  std::vector<std::string_view> refused = {};  // options of the plan that change nothing here
  std::string_view dtype = {};       // what --dtype auto means here, where the CPU is fast at it
  std::string_view positional = {};  // option that a word without a name is the value of
};

// One file each; the tables below hold them all.
std::vector<CommandSpec> headsCommands();
std::vector<OptionSpec> headsOptions();
std::vector<CommandSpec> pscCommands();
std::vector<OptionSpec> pscOptions();
std::vector<CommandSpec> longropeCommands();
std::vector<OptionSpec> longropeOptions();
std::vector<CommandSpec> retrievalCommands();
std::vector<OptionSpec> retrievalOptions();
std::vector<CommandSpec> sweepCommands();
std::vector<OptionSpec> sweepOptions();
std::vector<CommandSpec> experimentCommands();
std::vector<OptionSpec> experimentOptions();
std::vector<CommandSpec> readsCommands();
std::vector<OptionSpec> readsOptions();
std::vector<CommandSpec> lensCommands();
std::vector<OptionSpec> lensOptions();

const std::vector<CommandSpec>& commandTable();
const CommandSpec* findCommand(std::string_view name);

// Options that every command takes, and those that belong to the plan.
const std::vector<std::string_view>& commonOptions();
const std::vector<std::string_view>& planOptions();
bool takesOption(const CommandSpec& command, std::string_view option);

std::string commandHelp(const CommandSpec& command);

}  // namespace ropescope::cli
