#include "app/cli/longrope_report.h"

#include <cmath>

#include "app/cli/text.h"
#include "core/base/memory_size.h"

namespace ropescope::cli {
namespace {

using calibration::Evaluation;
using calibration::Judgement;
using calibration::SearchEnd;
using calibration::SearchResult;
using calibration::Verdict;

constexpr int kLossDigits = 4;

Json lossJson(double loss) {
  return std::isfinite(loss) ? Json(loss) : Json(nullptr);
}

std::string lossText(double loss) {
  if (!std::isfinite(loss)) return "no finite number";
  return fixed(loss, kLossDigits) + " (perplexity " + fixed(std::exp(loss), 2) + ")";
}

const char* endName(SearchEnd end) {
  switch (end) {
    case SearchEnd::Evaluations:
      return "evaluations";
    case SearchEnd::Time:
      return "minutes";
    case SearchEnd::Stopped:
      return "stopped";
    case SearchEnd::Exhausted:
      return "exhausted";
  }
  return "evaluations";
}

// "seed ntk" -> "ntk".
std::string seedName(const Evaluation& seed) {
  return seed.origin.substr(seed.origin.find(' ') + 1);
}

Json optionalJson(const std::optional<double>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json meanJson(const ClusteredMean& mean) {
  return {{"mean_nll", mean.mean},
          {"standard_error", optionalJson(mean.standardError)},
          {"perplexity", std::exp(mean.mean)}};
}

Json verdictJson(const Verdict& verdict) {
  Json json = {{"method", verdict.method}};
  json.update(meanJson(verdict.loss));
  const PairedComparison& difference = verdict.difference;
  Json books = Json::array();
  for (const BookDifference& book : difference.perBook) {
    books.push_back({{"book", book.book},
                     {"windows", book.windows},
                     {"found_minus_method", book.meanDifference}});
  }
  json["found_minus_method"] = difference.meanDifference;
  json["difference_standard_error"] = optionalJson(difference.standardError);
  json["z"] = difference.standardError && *difference.standardError > 0.0
                  ? Json(-difference.meanDifference / *difference.standardError)
                  : Json(nullptr);
  json["beaten"] = verdict.beaten;
  json["note"] = difference.note;
  json["per_book"] = std::move(books);
  return json;
}

}  // namespace

void searchFields(Json& fields, const SearchResult& result) {
  const Evaluation& best = result.bestEvaluation();
  fields["factors"] = best.candidate.factors;
  fields["unscaled_tokens"] = best.candidate.unscaledTokens;
  fields["loss"] = lossJson(best.loss);
  fields["seed_losses"] = Json::object();
  fields["is_seed"] = best.isSeed;
  fields["best_evaluation"] = best.number;
  fields["best_origin"] = best.origin;
  fields["evaluations"] = result.evaluations.size();
  fields["replayed"] = result.replayed;
  fields["end"] = endName(result.end);
  fields["history"] = Json::array();
  const Evaluation* so_far = nullptr;
  for (const Evaluation& each : result.evaluations) {
    if (each.isSeed) fields["seed_losses"][seedName(each)] = lossJson(each.loss);
    if (so_far != nullptr && !(each.loss < so_far->loss)) continue;
    so_far = &each;
    fields["history"].push_back(
        {{"evaluation", each.number}, {"loss", lossJson(each.loss)}, {"origin", each.origin}});
  }
}

Json judgementJson(const Judgement& judgement) {
  Json json = {{"length", judgement.length},
               {"windows", judgement.found.windows},
               {"books", judgement.found.books},
               {"found", meanJson(judgement.found)},
               {"methods", Json::array()}};
  for (const Verdict& verdict : judgement.verdicts) json["methods"].push_back(verdictJson(verdict));
  return json;
}

Json samplesJson(const std::vector<calibration::SearchSample>& samples) {
  Json json = Json::array();
  for (const auto& sample : samples) {
    Json one = {{"book", sample.book},
                {sample.question.empty() ? "begin" : "needle_position", sample.begin},
                {"tokens", sample.ids.size()},
                {"first_scored", sample.firstScored}};
    if (!sample.question.empty()) {
      one["question"] = sample.question;
      one["answer"] = sample.answer;
    }
    json.push_back(std::move(one));
  }
  return json;
}

std::string evaluationText(const Evaluation& evaluation, std::int64_t all) {
  return "evaluation " + countText(evaluation.number) + " of " + countText(all) + ": loss " +
         lossText(evaluation.loss) + ", " + evaluation.origin;
}

std::string resultTable(const SearchResult& result, const rope::RotaryPlan& plan) {
  const Evaluation& best = result.bestEvaluation();
  std::string text = "LongRoPE factors for " + tokensText(plan.context.plannedLength) +
                     ", factor " + compact(plan.context.factor) + ", attention factor " +
                     fixed(plan.attentionFactor, kLossDigits) + ":\n";
  Table table({"", "loss (nats)", "perplexity"});
  const auto add = [&](const std::string& name, double loss) {
    table.add({name, fixed(loss, kLossDigits), fixed(std::exp(loss), 2)});
  };
  for (const Evaluation& each : result.evaluations) {
    if (each.isSeed) add("factors of " + seedName(each), each.loss);
  }
  if (!best.isSeed) add("found (evaluation " + countText(best.number) + ")", best.loss);
  text += table.text();
  std::string list;
  for (const double factor : best.candidate.factors) {
    list += (list.empty() ? "" : " ") + fixed(factor, 2);
  }
  constexpr std::size_t kIndent = 2;
  constexpr std::size_t kWidth = 96;
  text += std::string(kIndent, ' ') + wrapped(list, kIndent, kWidth) + "\n";
  if (plan.unscaledTokens > 0) {
    text += "  the first " + tokensText(plan.unscaledTokens) + " keep plain RoPE\n";
  }
  return text;
}

std::string judgementText(const Judgement& judgement) {
  std::string text = "On " + countText(judgement.found.windows) + " windows of " +
                     tokensText(judgement.length) + " from " + countText(judgement.found.books) +
                     (judgement.found.books == 1 ? " book" : " books") +
                     " that the search did not see:\n";
  Table table({"", "loss (nats)", "perplexity"});
  for (const Verdict& verdict : judgement.verdicts) {
    table.add({verdict.method, fixed(verdict.loss.mean, kLossDigits),
               fixed(std::exp(verdict.loss.mean), 2)});
  }
  table.add({"found", fixed(judgement.found.mean, kLossDigits),
             fixed(std::exp(judgement.found.mean), 2)});
  text += table.text();
  for (const Verdict& verdict : judgement.verdicts) {
    text += "  found " + verdictText(verdict) + "\n";
  }
  const std::string& note = judgement.verdicts.front().difference.note;
  return note.empty() ? text : text + "  " + note + "\n";
}

Error seedIsBest(const SearchResult& result) {
  const Evaluation& best = result.bestEvaluation();
  const std::string found =
      "after " + countText(static_cast<std::int64_t>(result.evaluations.size())) +
      " evaluations the factors of " + seedName(best) + " (loss " + lossText(best.loss) +
      ") are still the best: nothing was found, and "
      "nothing is written; ";
  return Error{ErrorCode::NotFound,
               found + (result.end == SearchEnd::Exhausted
                            ? "try another --search-variant"
                            : "go on with --resume and more --evaluations or --max-minutes")};
}

}  // namespace ropescope::cli
