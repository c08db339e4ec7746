// One job, watched from outside its walls: pipes with caps, clocks, the kill and the reaping.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "reward/sandbox/launcher/cgroup.h"
#include "reward/sandbox/launcher/jail.h"
#include "reward/sandbox/launcher/room.h"
#include "reward/sandbox/protocol.h"

namespace reward::sandbox {

// What a slot keeps between jobs. Rooms are made when the first job needs them and again after one has died.
class Slot {
 public:
  Slot(const Plan& plan, int64_t number);

  // Never throws: an Error becomes Facts::error. `trainer`: when this socket hangs up, the job is given up.
  Facts run(const Job& job, Kind kind, int trainer);
  const Cgroup& cgroup() const { return cgroup_; }

 private:
  Facts run_in(Room& room, const Job& job, Kind kind, int trainer);
  Room& room(bool python);
  StartRequest request(const Job& job, Kind kind) const;

  Plan plan_;
  uint32_t uid_;
  Cgroup cgroup_;
  int filter_;
  std::unique_ptr<Room> native_, python_;
};

Kind kind_of(Job::Runtime runtime);
constexpr uint32_t first_uid = 61000;  // of slot 0

}  // namespace reward::sandbox
