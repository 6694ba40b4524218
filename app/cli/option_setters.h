// How the text of an option becomes a value, for every table of options.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "app/cli/option_table.h"

namespace ropescope::cli {

inline constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// What a setter returns for text that it cannot take.
inline Error wanted(std::string what) {
  return Error{ErrorCode::InvalidArgument, std::move(what)};
}

template <class Number>
bool readNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

inline Result<std::int64_t> wholeNumber(std::string_view text, std::int64_t least,
                                        std::int64_t most = kMost) {
  std::int64_t number = 0;
  if (!readNumber(text, number) || number < least || number > most) {
    return wanted("a whole number of at least " + std::to_string(least) +
                  (most < kMost ? " and at most " + std::to_string(most) : ""));
  }
  return number;
}

inline Result<double> realNumber(std::string_view text) {
  double number = 0.0;
  if (!readNumber(text, number) || !std::isfinite(number)) {
    return wanted("a number such as 4 or 0.5");
  }
  return number;
}

inline std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// Items between separators, blanks around them left out.
Status split(std::string_view text, char separator, const auto& take) {
  while (true) {
    const auto at = text.find(separator);
    if (Status taken = take(trimmed(text.substr(0, at))); !taken) return taken;
    if (at == std::string_view::npos) return Done{};
    text = text.substr(at + 1);
  }
}

// The field at the end of a path of members: fieldOf<&Options::psc, &PscOptions::steps>(options).
template <auto... path>
auto& fieldOf(Options& options) {
  return (options.*....*path);
}

// The last arguments are the path to the field.
template <std::int64_t least, std::int64_t most, auto... path>
Status setWholeWithin(Options& options, std::string_view text) {
  const auto number = wholeNumber(text, least, most);
  if (!number) return number.error();
  auto& field = fieldOf<path...>(options);
  using Field = std::remove_reference_t<decltype(field)>;
  if constexpr (std::is_same_v<Field, int>) {
    if (*number > std::numeric_limits<int>::max()) return wanted("a much smaller number");
  }
  field = static_cast<Field>(*number);
  return Done{};
}

template <auto field, std::int64_t least, std::int64_t most = kMost>
Status setWhole(Options& options, std::string_view text) {
  return setWholeWithin<least, most, field>(options, text);
}

template <auto... path>
Status setReal(Options& options, std::string_view text) {
  const auto number = realNumber(text);
  if (!number) return number.error();
  fieldOf<path...>(options) = *number;
  return Done{};
}

template <auto... path>
Status setText(Options& options, std::string_view text) {
  fieldOf<path...>(options) = std::string(text);
  return Done{};
}

template <auto... path>
Status setPath(Options& options, std::string_view text) {
  if (text.empty()) return wanted("a file name");
  fieldOf<path...>(options) = std::filesystem::path(text);
  return Done{};
}

template <auto... path>
Status setFlag(Options& options, std::string_view) {
  fieldOf<path...>(options) = true;
  return Done{};
}

}  // namespace ropescope::cli
