// Samples that are drawn and not yet trained on, as a checkpoint keeps them: the steps collected ahead, and the groups that the
// last of these ended without.
//
// The weights that drew them are not kept. A step that is collected needs its weights no more; the next one to collect, and what
// is missing of the carried groups, is drawn with weights that a resumed run has: the checkpoint's own, or newer.
#pragma once

#include <string>

#include "rl/sampling/step_rollouts.h"

namespace rl {

// The steps ahead, and last.carried: one CBOR object whose records are those of rollout/record_io.h, with checksums. Empty when
// there are none. `last` is the state after the last step that was collected; those of the steps are not kept.
std::string save_samples(const StepsAhead& ahead, const SamplingState& last);
// Back: sets last.carried; all the steps have the state `last`. Throws kernels::Error for bytes that are not such an object.
StepsAhead load_samples(const std::string& bytes, SamplingState& last);

}  // namespace rl
