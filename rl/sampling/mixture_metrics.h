// Metrics of each [[dataset]] of a stage, by its name.
#pragma once

#include "rl/collect.h"
#include "rl/data/mixture.h"
#include "rl/metrics.h"
#include "rl/report/summary.h"

namespace rl {

// mix/NAME/{share, reward, mean_length}: of the step's groups, those of the set; of a set without any only its share, 0.
void append_mixture_metrics(Metrics& metrics, const std::vector<Group>& groups, const Mixture& data);

// mix/NAME/{eval_accuracy, eval_mean_length} of the sets that have problems to evaluate on. `judges`: see judges_of.
void append_mixture_evaluation(Metrics& metrics, const std::vector<Group>& groups, const Mixture& data,
                               const std::vector<std::string>& judges);

}  // namespace rl
