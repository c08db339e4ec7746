// How a router chooses experts; router.h says what each field does.
#pragma once

#include <cstdint>

namespace kernels {

struct RouterConfig {
  enum class Scoring { softmax, sigmoid };
  int64_t experts = 0, active = 0;
  Scoring scoring = Scoring::softmax;
  int64_t groups = 1, groups_kept = 1;
  enum class GroupScore { two_largest, largest };  // DeepSeek-V3: the sum of the two largest; DeepSeek-V2: the largest
  GroupScore group_score = GroupScore::two_largest;
  bool normalize = true;
  double scale = 1.0;
};

}  // namespace kernels
