#include "rollout/sample_record.h"

namespace rollout {

const char* name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop: return "stop";
    case FinishReason::length: return "length";
    case FinishReason::aborted: return "aborted";
  }
  return "unknown";
}

}  // namespace rollout
