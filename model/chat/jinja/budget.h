// What one rendering may use: a template that loops without end, or that doubles its text, ends with an error.
#pragma once

#include <cstdint>

#include "model/chat/jinja/value.h"

namespace model::jinja {

constexpr int64_t most_work = 20'000'000;  // steps; a step is an expression, or 64 bytes of text or values made or looked at

class Budget {
 public:
  void charge(int64_t weight = 0) {
    left_ -= 1 + weight / 64;
    if (left_ < 0) throw Problem("the template takes too many steps; it may loop without end");
  }

 private:
  int64_t left_ = most_work;
};

}  // namespace model::jinja
