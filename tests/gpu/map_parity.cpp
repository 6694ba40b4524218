#include "tests/gpu/map_parity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace ropescope::gpu {
namespace {

// Scores reach some tens, their float32 rounding some 1e-5; a weight is at most 1.
constexpr double kWeights = 5e-4;

struct Picture {
  std::string name;
  TokenRange queries;
  TokenRange keys;
  int width;
  int height;
};

std::vector<Picture> pictures(std::int64_t n) {
  const TokenRange all{0, n};
  return {{"1", all, all, 1, 1},
          {"7", all, all, 7, 7},
          {"64", all, all, 64, 64},
          {"300", all, all, 300, 300},
          {"ragged", {37, n - 5}, {3, n / 2 + 11}, 53, 91},
          {"one query", {n - 1, n}, all, 200, 1}};
}

class MapParity {
 public:
  MapParity(std::string name, const Session& cpu, const Session& gpu, Report& report)
      : m_name(std::move(name)),
        m_cpu(cpu),
        m_gpu(gpu),
        m_report(report) {}

  void compare(const MapRequest& request, const std::string& size) {
    const std::string name = m_name + "map " + size + " layer " + std::to_string(request.layer) +
                             " head " + std::to_string(request.head) + " " +
                             std::string(reducerName(request.reducer));
    const auto wanted = m_cpu.attentionMap(request, {});
    if (!wanted) return m_report.fail(name + " cpu", wanted.error().message);
    const auto found = m_gpu.attentionMap(request, {});
    if (!found) return m_report.fail(name + " gpu", found.error().message);
    m_report.check(name, mapDifference(found->values, wanted->values), kWeights,
                   "float32 rounding of scores");
    const auto again = m_gpu.attentionMap(request, {});
    if (!again) return m_report.fail(name + " again", again.error().message);
    m_report.check(name + " again", mapDifference(again->values, found->values), 0.0,
                   "the same input gives the same bits");
  }

 private:
  std::string m_name;
  const Session& m_cpu;
  const Session& m_gpu;
  Report& m_report;
};

}  // namespace

double mapDifference(const std::vector<float>& a, const std::vector<float>& b) {
  const double infinite = std::numeric_limits<double>::infinity();
  if (a.size() != b.size() || a.empty()) return infinite;
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) return infinite;
    if (std::isnan(a[i])) continue;
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

void checkMaps(const ParityInput& input, ModelRuns& runs, Report& report) {
  const std::string name = input.model.filename().string() + " ";
  const Method yarn{"yarn", 2.0};
  const int lastLayer = runs.config().layers - 1;
  const int lastHead = runs.config().heads - 1;
  std::vector<std::unique_ptr<Session>> sessions;
  for (const std::string& device : {std::string("cpu"), input.device}) {
    auto session = runs.session({device, "float32"}, yarn, 100, {0, lastLayer});
    if (!session) return report.fail(name + "maps", session.error().message);
    const auto read = (*session)->score(runs.ids(), {}, {});
    if (!read) return report.fail(name + "maps", read.error().message);
    sessions.push_back(*std::move(session));
  }
  MapParity parity(name, *sessions[0], *sessions[1], report);
  for (const Picture& picture : pictures(static_cast<std::int64_t>(runs.ids().size()))) {
    for (const Reducer reducer : {Reducer::Max, Reducer::Mean}) {
      MapRequest request{0,      0, picture.queries, picture.keys, picture.width, picture.height,
                         reducer};
      parity.compare(request, picture.name);
      request.layer = lastLayer;
      request.head = lastHead;
      parity.compare(request, picture.name);
    }
  }
}

}  // namespace ropescope::gpu
