// The pages of `ponder view`: one sample of a step, with its group around it.
#pragma once

#include <string>
#include <vector>

#include "model/tokenizer/tokenizer.h"
#include "rl/rollouts/files.h"

namespace rl {

struct ViewPlace {
  size_t step = 0, group = 0, sample = 0;  // indices
  bool table = false;                      // the tokens as a table instead of running text
};

// Steps with their groups, rewards and lengths, a line each.
std::string step_list(const std::vector<DumpedStep>& steps);

// The page at a place. `tokenizer` may be null: then the text has no colours and the table no texts.
std::string sample_page(const std::vector<DumpedStep>& steps, const std::vector<std::vector<DumpedSample>>& groups, const ViewPlace& place,
                        const model::Tokenizer* tokenizer, bool colour);

// Where a key leads: left/right or p/n another sample, up/down or P/N another prompt, [ ] another step, b/w the step's best and
// worst sample, t the table. Places wrap at neither end. Sets *new_step when `step` changed. False: the key means nothing.
bool move(ViewPlace& place, const std::string& key, const std::vector<DumpedStep>& steps,
          const std::vector<std::vector<DumpedSample>>& groups, bool* new_step);

}  // namespace rl
