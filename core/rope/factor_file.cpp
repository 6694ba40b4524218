#include "core/rope/factor_file.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <sstream>
#include <string>

#include "core/base/file_io.h"
#include "core/base/json_text.h"
#include "core/rope/rope_math.h"

namespace ropescope::rope {
namespace {

using Json = nlohmann::json;

Result<std::vector<double>> numbersOf(const Json& json, const std::string& name,
                                      const std::filesystem::path& path) {
  std::vector<double> numbers;
  if (!json.contains(name) || json[name].is_null()) return numbers;
  if (!json[name].is_array()) {
    return Error{ErrorCode::CorruptFile,
                 path.string() + ": '" + name + "' is not a list of numbers"};
  }
  for (const Json& item : json[name]) {
    if (!item.is_number()) {
      return Error{ErrorCode::CorruptFile,
                   path.string() + ": '" + name + "' holds " + shortText(item) + ", not a number"};
    }
    numbers.push_back(item.get<double>());
  }
  return numbers;
}

Result<std::optional<std::int64_t>> unscaledTokensOf(const Json& json,
                                                     const std::filesystem::path& path) {
  constexpr double kMost = 1e6;  // as the method's parameter
  const auto found = json.find("n_hat");
  if (found == json.end() || found->is_null()) return std::optional<std::int64_t>();
  const double number = found->is_number() ? found->get<double>() : -1.0;
  if (!(number >= 0.0 && number <= kMost) || number != std::floor(number)) {
    return Error{ErrorCode::CorruptFile, path.string() + ": 'n_hat' is " + shortText(*found) +
                                             "; a whole number of tokens is wanted"};
  }
  return std::optional<std::int64_t>(static_cast<std::int64_t>(number));
}

Result<std::optional<double>> attentionFactorOf(const Json& json,
                                               const std::filesystem::path& path) {
  const auto found = json.find("attention_factor");
  if (found == json.end() || found->is_null()) return std::optional<double>();
  const double number = found->is_number() ? found->get<double>() : 0.0;
  if (!(number > 0.0)) {
    return Error{ErrorCode::CorruptFile, path.string() + ": 'attention_factor' is " +
                                             shortText(*found) + "; a positive number is wanted"};
  }
  return std::optional<double>(number);
}

Result<RescaleFactors> fromJson(const std::string& text, const std::filesystem::path& path) {
  auto parsed = parseJsonObject(text, path.string());
  if (!parsed) {
    return Error{parsed.error().code,
                 parsed.error().message + " ({\"long_factor\": [...]} is wanted)"};
  }
  Json json = *std::move(parsed);
  for (const char* wrapper : {"rope_parameters", "rope_scaling"}) {
    if (json.contains(wrapper) && json[wrapper].is_object()) json = Json(json[wrapper]);
  }
  auto shortFactor = numbersOf(json, "short_factor", path);
  if (!shortFactor) return shortFactor.error();
  auto longFactor = numbersOf(json, "long_factor", path);
  if (!longFactor) return longFactor.error();
  if (shortFactor->empty() && longFactor->empty()) {
    return Error{ErrorCode::CorruptFile,
                 path.string() + ": neither 'long_factor' nor 'short_factor' in it"};
  }
  const auto unscaled = unscaledTokensOf(json, path);
  if (!unscaled) return unscaled.error();
  const auto attention = attentionFactorOf(json, path);
  if (!attention) return attention.error();
  return RescaleFactors{*std::move(shortFactor), *std::move(longFactor), *unscaled, *attention};
}

// One line of comma, semicolon or blank separated numbers.
Result<std::vector<double>> numbersInLine(const std::string& line, std::size_t number,
                                          const std::filesystem::path& path) {
  std::vector<double> numbers;
  const char* at = line.data();
  const char* const end = at + line.size();
  while (at != end) {
    if (*at == ',' || *at == ';' || *at == ' ' || *at == '\t' || *at == '\r') {
      ++at;
      continue;
    }
    double value = 0.0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc()) {
      return Error{ErrorCode::CorruptFile, path.string() + ", line " + std::to_string(number) +
                                               ": '" + line.substr(0, 40) +
                                               "' is not a list of numbers"};
    }
    numbers.push_back(value);
    at = next;
  }
  return numbers;
}

Result<RescaleFactors> fromCsv(const std::string& text, const std::filesystem::path& path) {
  std::vector<std::vector<double>> rows;
  std::istringstream lines(text);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    auto row = numbersInLine(line, number, path);
    if (!row) return row.error();
    if (!row->empty()) rows.push_back(*std::move(row));
  }
  if (rows.empty()) {
    return Error{ErrorCode::CorruptFile, path.string() + ": no factors in it"};
  }
  RescaleFactors factors;
  if (rows.front().size() == 1) {  // one column
    for (const auto& row : rows) {
      if (row.size() != 1) {
        return Error{ErrorCode::CorruptFile,
                     path.string() + ": lines of one and of several factors; one column is wanted"};
      }
      factors.longFactor.push_back(row.front());
    }
    return factors;
  }
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i] != rows.front()) {
      return Error{ErrorCode::Unsupported,
                   path.string() + ": the rows (layers) differ; one list for all layers is wanted"};
    }
  }
  factors.longFactor = rows.front();
  return factors;
}

}  // namespace

Result<RescaleFactors> readFactorFile(const std::filesystem::path& path) {
  const auto text = readFile(path);
  if (!text) return text.error();
  return path.extension() == ".json" ? fromJson(*text, path) : fromCsv(*text, path);
}

std::string factorColumn(const std::vector<double>& factors) {
  std::string column;
  for (const double factor : factors) column += valueText(factor) + "\n";
  return column;
}

std::string factorBlock(const RescaleFactors& factors, const RopeContext& context) {
  const auto pairs = static_cast<std::size_t>(context.headDim / 2);
  nlohmann::ordered_json block;
  block["rope_type"] = "longrope";
  block["rope_theta"] = context.base;
  block["factor"] = context.factor;
  block["original_max_position_embeddings"] = context.originalLength;
  block["short_factor"] = factors.shortFactor.empty() ? std::vector<double>(pairs, 1.0)
                                                      : factors.shortFactor;
  if (!factors.longFactor.empty()) block["long_factor"] = factors.longFactor;
  if (factors.unscaledTokens.value_or(0) != 0) block["n_hat"] = *factors.unscaledTokens;
  if (factors.attentionFactor) block["attention_factor"] = *factors.attentionFactor;
  return nlohmann::ordered_json{{"rope_parameters", std::move(block)}}.dump(1) + "\n";
}

MethodChoice choiceOf(const RescaleFactors& factors, double factor) {
  MethodChoice choice{.id = "longrope", .values = {}, .factor = factor};
  if (!factors.shortFactor.empty()) choice.values["short_factor"] = factors.shortFactor;
  if (!factors.longFactor.empty()) choice.values["long_factor"] = factors.longFactor;
  if (factors.attentionFactor) choice.values["attention_factor"] = *factors.attentionFactor;
  if (factors.unscaledTokens) {
    choice.values["n_hat"] = static_cast<double>(*factors.unscaledTokens);
  }
  return choice;
}

std::vector<double> factorsOf(const RotaryPlan& plan) {
  constexpr double kStandsStill = 1e9;
  std::vector<double> factors = plainInvFreq(plan.context);
  for (std::size_t pair = 0; pair < factors.size(); ++pair) {
    factors[pair] = plan.invFreq[pair] > 0.0 ? factors[pair] / plan.invFreq[pair] : kStandsStill;
  }
  return factors;
}

}  // namespace ropescope::rope
