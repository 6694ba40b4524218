// A RoPE scaling method: from a context to the frequencies and the attention factor of one session.
//
// Adding a method is adding one file to core/rope/methods: nobody outside compares ids.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"

namespace ropescope::rope {

// Everything a method may depend on, always explicit.
struct RopeContext {
  double base = 1e4;                   // rope_theta
  int headDim = 0;                     // D, rotated dimensions; pairs P = D / 2
  std::int64_t originalLength = 0;     // tokens the model was trained at
  std::int64_t plannedLength = 0;      // tokens this session is planned for
  double factor = 1.0;                 // s; used as given at every length
};

enum class ParameterKind { Number, Flag, Choice, Numbers, File };

using ParameterValue = std::variant<bool, double, std::string, std::vector<double>>;
using ParameterValues = std::map<std::string, ParameterValue>;

// From this the window builds its form and the command line its flags.
struct ParameterSpec {
  std::string name;   // as in config.json where the field has a name there
  std::string title;  // for people
  std::string help;   // one sentence
  ParameterKind kind = ParameterKind::Number;
  std::optional<ParameterValue> defaultValue;  // none: the method works it out, help says how
  double minimum = 0.0;
  double maximum = 0.0;                // of a Number; both ends allowed
  std::vector<std::string> choices;    // of a Choice
  std::string unit;                    // empty: a plain number
};

struct MethodInfo {
  std::string id;         // "yarn"
  std::string title;      // "YaRN"
  std::string reference;  // "arXiv:2309.00071"
  std::string summary;    // what it does, one sentence
  bool takesFactor = true;
  // The frequencies or the choice between factor lists depend on the planned length.
  bool dependsOnLength = false;
  // No pair turns faster than under plain RoPE; a list of factors below 1 may break it.
  bool monotone = true;
  // Scores depend on the distance of two tokens alone; unscaled first tokens (n-hat) break it.
  bool distanceOnly = true;
  std::vector<std::string> configTypes;  // rope types of config.json that mean this method
  // With these, transformers takes original_max_position_embeddings for the trained length; with all
  // others max_position_embeddings.
  bool configOriginalLength = false;
};

// One session's rotation, immutable: cached keys are rotated with it.
struct RotaryPlan {
  std::string method;            // id of the method that made it
  RopeContext context;
  std::vector<double> invFreq;   // [P] rad per token
  double attentionFactor = 1.0;  // on cos and sin of q and of k: logits scale by its square
  std::int64_t unscaledTokens = 0;  // n-hat: positions below it rotate with plain frequencies, t = 1
  std::string note;              // what was decided, in words ("long factors: 4,096 > 1,024 tokens")

  // Angle in rad, unwrapped, that `pair` of a token at `position` is rotated by.
  double angle(std::int64_t position, std::size_t pair) const;
  double attentionFactorAt(std::int64_t position) const;
  bool sameRotation(const RotaryPlan& other) const;
};

class RopeMethod {
 public:
  virtual ~RopeMethod() = default;
  virtual MethodInfo info() const = 0;
  virtual std::vector<ParameterSpec> parameters() const { return {}; }
  // `values` holds only known, type-checked names (see checkedValues).
  // Errors: InvalidArgument names the parameter, Unsupported says what is missing.
  virtual Result<RotaryPlan> plan(const RopeContext& context,
                                  const ParameterValues& values) const = 0;
};

// One object per file in core/rope/methods, ordered by file name.
std::vector<std::unique_ptr<const RopeMethod>> allMethods();

// Null when there is no such method.
std::unique_ptr<const RopeMethod> findMethod(std::string_view id);
std::string methodIds();  // "dynamic, llama3, …" for messages

// A method, its settings, and where they come from.
struct MethodChoice {
  std::string id = "none";
  ParameterValues values;
  std::optional<double> factor;  // none: planned / original length, at least 1
};

// Checks context and values, then asks the method. Factor resolution happens here, once.
Result<RotaryPlan> makePlan(const MethodChoice& choice, RopeContext context);

// Text such as "true", "0.5", "code", "1,1.5,2" to a value of the parameter's kind.
Result<ParameterValue> parseValue(const ParameterSpec& spec, std::string_view text);
std::string valueText(const ParameterValue& value);

}  // namespace ropescope::rope
