#include "app/cli/options.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "app/cli/option_table.h"
#include "app/cli/text.h"

namespace ropescope::cli {
namespace {

bool looksLikeOption(std::string_view text) {
  return text.size() > 2 && text.substr(0, 2) == "--";
}

// Where an error object can go even when the rest was not understood.
std::optional<std::filesystem::path> jsonTarget(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--json" && i + 1 < arguments.size() &&
        !looksLikeOption(arguments[i + 1]) && !arguments[i + 1].empty()) {
      return arguments[i + 1];
    }
    if (arguments[i].rfind("--json=", 0) == 0 && arguments[i].size() > 7) {
      return arguments[i].substr(7);
    }
  }
  return std::nullopt;
}

std::string unknownOption(const CommandSpec& command, const std::string& found) {
  std::vector<std::string> names = {"--help", "--version"};
  for (const auto& option : optionTable()) {
    if (takesOption(command, option.name)) names.emplace_back(option.name);
  }
  const auto guess = nearest(found, names);
  return "there is no option " + found + (guess ? "; did you mean " + *guess + "?" : "; ") +
         (guess ? "" : "'ropescope-cli " + std::string(command.name) + " --help' lists them");
}

// Walks the arguments after the command.
class Parser {
 public:
  // The first `words` arguments are the command.
  Parser(const CommandSpec& command, const std::vector<std::string>& arguments, std::size_t words)
      : m_command(command),
        m_arguments(arguments),
        m_at(words) {
    m_options.command = command.name;
  }

  // An empty message: all well.
  std::string parse() {
    while (m_at < m_arguments.size()) {
      if (std::string message = parseOne(); !message.empty()) return message;
    }
    return missing();
  }

  const Options& options() const { return m_options; }
  bool given(std::string_view name) const { return m_given.count(std::string(name)) > 0; }

 private:
  std::string parseOne() {
    std::string name = m_arguments[m_at++];
    if (!looksLikeOption(name)) {
      if (!m_command.positional.empty() &&
          m_given.insert(std::string(m_command.positional)).second) {
        return set(*findOption(m_command.positional), name);
      }
      return "'" + name + "' stands alone; every value follows its option, and a value with " +
             "blanks needs quotes";
    }
    std::optional<std::string> attached;
    if (const auto equals = name.find('='); equals != std::string::npos) {
      attached = name.substr(equals + 1);
      name.resize(equals);
    }
    const OptionSpec* option = findOption(name);
    if (option == nullptr) return unknownOption(m_command, name);
    if (!takesOption(m_command, name)) {
      return "'" + std::string(m_command.name) + "' has no use for " + name + "; leave it out";
    }
    const bool again = !m_given.insert(name).second;
    if (again && option->arity == Arity::Once) return name + " is given twice; give it once";
    return take(*option, attached);
  }

  std::string take(const OptionSpec& option, const std::optional<std::string>& attached) {
    if (option.arity == Arity::Flag) {
      if (attached) return std::string(option.name) + " takes no value";
      return set(option, "");
    }
    if (attached) return set(option, *attached);
    if (m_at >= m_arguments.size() || looksLikeOption(m_arguments[m_at])) {
      return std::string(option.name) + " needs a value: " + std::string(option.name) + " " +
             std::string(option.value);
    }
    std::string message = set(option, m_arguments[m_at++]);
    while (message.empty() && option.arity == Arity::Many && m_at < m_arguments.size() &&
           !looksLikeOption(m_arguments[m_at])) {
      message = set(option, m_arguments[m_at++]);
    }
    return message;
  }

  std::string set(const OptionSpec& option, const std::string& text) {
    const Status status = option.set(m_options, text);
    if (status) return {};
    return std::string(option.name) + " is '" + text + "'; wanted: " + status.error().message;
  }

  // Required options; a group "--a|--b" wants exactly one.
  std::string missing() const {
    for (std::string_view group : m_command.required) {
      std::vector<std::string> names;
      while (!group.empty()) {
        const auto bar = group.find('|');
        names.emplace_back(group.substr(0, bar));
        group = bar == std::string_view::npos ? std::string_view() : group.substr(bar + 1);
      }
      const auto count = std::count_if(names.begin(), names.end(),
                                       [&](const std::string& name) { return given(name); });
      std::string listed = names.front();
      for (std::size_t i = 1; i < names.size(); ++i) listed += " or " + names[i];
      if (count == 0) {
        return "'" + m_options.command + "' needs " + listed + ": ropescope-cli " +
               std::string(m_command.usage);
      }
      if (count > 1) return "give " + listed + ", not both";
    }
    return {};
  }

  const CommandSpec& m_command;
  const std::vector<std::string>& m_arguments;
  std::size_t m_at;
  Options m_options;
  std::set<std::string> m_given;
};

using Target = std::pair<const char*, const std::optional<std::filesystem::path>&>;

std::array<Target, 5> targetsOf(const Options& options) {
  return {Target{"--json", options.json}, Target{"--csv", options.csv},
          Target{"--wide-csv", options.wideCsv}, Target{"--png", options.png},
          Target{"--out", options.out}};
}

std::string streamTarget(const Options& options) {
  for (const auto& [name, path] : targetsOf(options)) {
    if (&path == &options.json || !path || *path != "-") continue;
    return std::string(name) + " names a file; only --json - writes to standard output";
  }
  return {};
}

// Two results in one file: the later would replace the earlier.
std::string sameTargets(const Options& options) {
  std::map<std::filesystem::path, const char*> taken;
  for (const auto& [name, path] : targetsOf(options)) {
    if (!path || *path == "-") continue;
    std::error_code error;
    const auto absolute = std::filesystem::absolute(*path, error);
    const auto real = std::filesystem::weakly_canonical(absolute, error);
    const auto [other, fresh] = taken.emplace(error ? absolute : real, name);
    if (!fresh) {
      return std::string(other->second) + " and " + name + " both name " + path->string() +
             "; give each its own file";
    }
  }
  return {};
}

// Options that make no sense together; empty when all is well.
std::string contradiction(const Parser& parser) {
  const Options& options = parser.options();
  const auto given = [&](const char* name) { return parser.given(name); };
  if (given("--document-tokens") && !given("--document") && options.command != "render") {
    return "--document-tokens cuts a --document; give one";
  }
  const bool readsMany = options.command == "perplexity" || options.command == "questions" ||
                         options.command == "sweep";
  if (options.documents.size() > 1 && !readsMany) {
    return "'" + options.command + "' reads one document, " +
           std::to_string(options.documents.size()) + " are given; call it once for each";
  }
  if (given("--methods")) {
    for (const char* name : {"--rope", "--factor", "--rope-param", "--calibration",
                             "--psc-strength", "--lora", "--force"}) {
      if (given(name)) {
        return std::string(name) +
               " and --methods both say how to rotate; write it into "
               "--methods, such as 'yarn:factor=4,calibration=FILE'";
      }
    }
    if (options.methods.empty()) return "--methods names no method; wanted: such as 'none;pi;yarn'";
  }
  if (given("--stride") && options.protocol != Protocol::Sliding) {
    return "--stride belongs to --protocol sliding; add it or leave --stride out";
  }
  if (std::string stream = streamTarget(options); !stream.empty()) return stream;
  if (std::string same = sameTargets(options); !same.empty()) return same;
  for (const char* name : {"--psc-strength", "--lora", "--force"}) {
    // psc train takes its calibration as the one to start from.
    const char* file = options.command == "psc train" ? "--init" : "--calibration";
    if (given(name) && !given(file)) {
      return std::string(name) + " changes a calibration; give " + file + " FILE too";
    }
  }
  return {};
}

ParseResult parseCommand(const CommandSpec& command, const std::vector<std::string>& arguments,
                         std::size_t words) {
  for (std::size_t i = words; i < arguments.size(); ++i) {
    // A value is no question: "--prompt -h" asks for nothing.
    const OptionSpec* before = i > words ? findOption(arguments[i - 1]) : nullptr;
    if (before != nullptr && before->arity != Arity::Flag) continue;
    if (arguments[i] == "--help" || arguments[i] == "-h") return HelpRequest{commandHelp(command)};
    if (arguments[i] == "--version") return VersionRequest{};
  }
  Parser parser(command, arguments, words);
  std::string message = parser.parse();
  if (message.empty()) message = contradiction(parser);
  if (message.empty()) return parser.options();
  // An error object must not replace a result that another option names.
  const bool taken = !sameTargets(parser.options()).empty();
  return ParseFailure{message, taken ? std::nullopt : jsonTarget(arguments)};
}

struct NamedCommand {
  const CommandSpec* command = nullptr;
  std::size_t words = 0;
};

// The command that the arguments from `at` on name, in one word or two.
NamedCommand commandAt(const std::vector<std::string>& arguments, std::size_t at) {
  std::string name;
  for (std::size_t words = 1; words <= 2 && at + words <= arguments.size(); ++words) {
    name += (words == 1 ? "" : " ") + arguments[at + words - 1];
    if (const CommandSpec* command = findCommand(name)) return {command, words};
  }
  return {};
}

}  // namespace

ParseResult parseCommandLine(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return HelpRequest{generalHelp()};
  const std::string& first = arguments.front();
  if (first == "--version") return VersionRequest{};
  if (first == "--help" || first == "-h" || first == "help") {
    const CommandSpec* named = commandAt(arguments, 1).command;
    return HelpRequest{named != nullptr ? commandHelp(*named) : generalHelp()};
  }
  if (const auto [command, words] = commandAt(arguments, 0); command != nullptr) {
    return parseCommand(*command, arguments, words);
  }
  std::vector<std::string> names;
  for (const auto& command : commandTable()) names.emplace_back(command.name);
  const bool twoWords = arguments.size() > 1 && !looksLikeOption(arguments[1]);
  auto guess = nearest(first, names);
  if (!guess && twoWords) guess = nearest(first + " " + arguments[1], names);
  std::string listed;
  for (const auto& name : names) listed += (listed.empty() ? "" : ", ") + name;
  std::string message =
      looksLikeOption(first)
          ? "the command comes first, then its options; commands are " + listed
          : "there is no command '" + first + "'; " +
                (guess ? "did you mean '" + *guess + "'?" : "commands are " + listed);
  return ParseFailure{message, jsonTarget(arguments)};
}

}  // namespace ropescope::cli
