#include "reward/reward.h"

namespace reward {

const char* name_of(Status status) {
  switch (status) {
    case Status::scored: return "scored";
    case Status::no_answer: return "no_answer";
    case Status::not_applicable: return "not_applicable";
    case Status::timeout: return "timeout";
    case Status::infra_error: return "infra_error";
  }
  return "unknown";
}

}  // namespace reward
