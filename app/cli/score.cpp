// score: the loss of every token.
#include <cmath>
#include <numeric>

#include "app/cli/commands.h"
#include "app/cli/inputs.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"

namespace ropescope::cli {
namespace {

void fillFields(Run& run, const TokenInput& input, const std::vector<double>& losses) {
  Json nll = Json::array();
  nll.push_back(nullptr);  // nothing stands before the first token
  for (const double loss : losses) nll.push_back(loss);
  while (nll.size() < input.ids.size()) nll.push_back(nullptr);  // interrupted before them
  run.fields()["scored"] = losses.size();
  run.fields()["tokens"] = input.ids;
  run.fields()["nll"] = std::move(nll);
  if (losses.empty()) {
    run.fields()["mean_nll"] = nullptr;
    run.fields()["perplexity"] = nullptr;
    return;
  }
  const double mean =
      std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
  run.fields()["mean_nll"] = mean;
  run.fields()["perplexity"] = std::exp(mean);
  run.console().print(input.name + ": " + tokensText(static_cast<std::int64_t>(losses.size())) +
                      " scored\n  mean loss   " + fixed(mean, 4) +
                      " nats per token\n  perplexity  " + fixed(std::exp(mean), 3) + "\n");
}

// Where the loss rises or falls along the text.
void printBands(Run& run, const std::vector<double>& losses) {
  constexpr std::size_t kBands = 8;
  if (losses.size() < 4 * kBands) return;
  Table table({"tokens", "mean loss", "perplexity"});
  for (std::size_t band = 0; band < kBands; ++band) {
    const std::size_t begin = losses.size() * band / kBands;
    const std::size_t end = losses.size() * (band + 1) / kBands;
    const auto at = losses.begin();
    const double mean = std::accumulate(at + static_cast<std::ptrdiff_t>(begin),
                                        at + static_cast<std::ptrdiff_t>(end), 0.0) /
                        static_cast<double>(end - begin);
    table.add({countText(static_cast<std::int64_t>(begin + 1)) + " – " +
                   countText(static_cast<std::int64_t>(end)),
               fixed(mean, 4), fixed(std::exp(mean), 2)});
  }
  run.console().print("\n" + table.text());
}

}  // namespace

Status runScore(Run& run) {
  const auto input = readTokenInput(run);
  if (!input) return input.error();
  if (input->ids.size() < 2) {
    return Error{ErrorCode::InvalidArgument, input->name + " has 1 token; a loss needs at least 2"};
  }
  const auto size = static_cast<std::int64_t>(input->ids.size());
  const auto context = run.contextFor(size, input->name + " has", sliceCure(run, *input));
  if (!context) return context.error();
  const auto sessionOptions = run.sessionOptions(*context);
  if (!sessionOptions) return sessionOptions.error();
  auto session = run.engine().newSession(*sessionOptions);
  if (!session) return session.error();

  std::vector<double> losses;
  const auto collect = [&](std::int64_t, std::span<const double> block) {
    losses.insert(losses.end(), block.begin(), block.end());
  };
  const auto score = (*session)->score(input->ids, collect, run.job());
  if (!score) {
    if (score.error().code == ErrorCode::Cancelled) fillFields(run, *input, losses);
    return score.error();
  }
  fillFields(run, *input, score->nll);
  printBands(run, score->nll);
  run.fields()["last_logits"] = run.options().lastLogits ? Json(score->lastLogits) : Json(nullptr);
  return Done{};
}

}  // namespace ropescope::cli
