// A fingerprint of the weights and the optimizer after each step, so that `ponder compare` can name the first step and the
// first tensor in which two runs differ.
//
// RUN/states.jsonl holds one object a step: {"stage", "step", "hash", "first_moment", "second_moment", "tensors": {name: hash}},
// hashes of 64 bits as hexadecimal text. `hash` is that of all the others together.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/parameter_store.h"

namespace rl {

// Over the bits of the values, in pieces of a fixed size: the same for any number of threads. 0.0 and -0.0 differ.
uint64_t hash_floats(const float* values, int64_t count);

struct StateHash {
  std::string stage;
  int64_t step = 0;
  std::string all;                                          // of everything below
  std::vector<std::pair<std::string, std::string>> parts;   // each parameter's masters, then the two moments
};
StateHash hash_state(const model::ParameterStore& store, const std::string& stage, int64_t step);

// Appends a line; what the disk refuses waits, see rl/line_log.h.
void append_state(const std::string& file, const StateHash& state);
// Lines that cannot be read are skipped. A missing file: none.
std::vector<StateHash> read_states(const std::string& file);

}  // namespace rl
