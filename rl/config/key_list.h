// How the tables of keys are written; for the files that hold them. See keys.h.
#pragma once

#include "rl/config/keys.h"

#define RUN(member) [](const Target& t) -> Slot { return &t.config->member; }
#define STAGE(member) [](const Target& t) -> Slot { return &t.stage->member; }
#define DATASET(member) [](const Target& t) -> Slot { return &t.dataset->member; }
#define REWARD(member) [](const Target& t) -> Slot { return &t.reward->member; }

namespace rl {

inline Range any() { return {}; }
inline Range at_least(double low) { return {.low = low}; }
inline Range above(double low) { return {.low = low, .low_excluded = true}; }
inline Range between(double low, double high) { return {.low = low, .high = high}; }
inline Range share_below_one() { return {.low = 0, .high = 1, .high_excluded = true}; }
inline Range share_above_zero() { return {.low = 0, .high = 1, .low_excluded = true}; }

// In the order of the documentation; each entry {section, name, slot, unit, range, words, sentence, born_only}.
std::vector<Key> model_keys();   // [run] to [tokenizer]: the machine and the model
std::vector<Key> step_keys();    // [data] to [optimizer]: what a step does
std::vector<Key> course_keys();  // [filter] to [[reward]]: the course of a run, and its parts

}  // namespace rl
