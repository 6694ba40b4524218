// What longrope search says about its result.
#pragma once

#include <string>

#include "app/cli/run.h"
#include "core/calibration/longrope_judge.h"
#include "core/calibration/longrope_samples.h"
#include "core/calibration/longrope_search.h"

namespace ropescope::cli {

// Best factors, losses of the seeds, best so far.
void searchFields(Json& fields, const calibration::SearchResult& result);
Json judgementJson(const calibration::Judgement& judgement);
Json samplesJson(const std::vector<calibration::SearchSample>& samples);

// "evaluation 57 of 300: loss 3.4012 (perplexity 30.00), crossover of 3 and 9".
std::string evaluationText(const calibration::Evaluation& evaluation, std::int64_t all);
std::string resultTable(const calibration::SearchResult& result, const rope::RotaryPlan& plan);
std::string judgementText(const calibration::Judgement& judgement);

// Why nothing is handed back: the best candidate is one of the seeds.
Error seedIsBest(const calibration::SearchResult& result);

}  // namespace ropescope::cli
