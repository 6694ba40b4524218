// The wide CSV of the YaRN repository: lengths across, one model a row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace ropescope {

struct WidePoint {
  std::int64_t length = 0;  // tokens
  double perplexity = 0.0;
};

struct WideCurve {
  std::string name;
  std::vector<WidePoint> points;  // by rising length
};

// As eval/perplexity.py of jquesnelle/yarn writes it with --output-file, and as its data/*.csv
// stand:
//   ,2048,4096
//   NousResearch/Yarn-Llama-2-7b-64k,4.140674114,3.68923521
// The first field of the header is empty. A length without a value is an empty field, or the row
// ends early. Names with a comma or a quote stand in quotes here (RFC 4180); that program never
// quotes. CorruptFile names file, line and field.
Result<std::vector<WideCurve>> readWideCsv(std::string_view text, const std::string& name);

// The header holds every length that any curve has.
std::string wideCsv(const std::vector<WideCurve>& curves);

}  // namespace ropescope
