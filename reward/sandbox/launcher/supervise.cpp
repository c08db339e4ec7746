#include "reward/sandbox/launcher/supervise.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>

#include "reward/reward.h"
#include "reward/sandbox/launcher/filter.h"
#include "reward/sandbox/launcher/packets.h"
#include "reward/sandbox/wire.h"

namespace reward::sandbox {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t room_bytes = 24 << 20;  // of the interpreter that waits, and of process 1
constexpr int tick_ms = 20;               // how late a limit on processor time can be seen
constexpr int64_t end_ms = 10000;         // for the kernel to end a killed job

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// A file in memory that can no longer be changed: its reader may be the program.
Descriptor sealed_file(const std::string& bytes) {
  Descriptor file(memfd_create("ponder", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  for (size_t done = 0; file.get() >= 0 && done < bytes.size();) {
    const ssize_t n = write(file.get(), bytes.data() + done, bytes.size() - done);
    if (n <= 0) throw Error(fmt::format("sandbox: cannot hold a job's bytes in memory: {}", std::strerror(errno)));
    done += static_cast<size_t>(n);
  }
  if (file.get() < 0 || lseek(file.get(), 0, SEEK_SET) != 0 ||
      fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    throw Error(fmt::format("sandbox: cannot make a file in memory: {}", std::strerror(errno)));
  }
  return file;
}

Descriptor describe(const Job& job) {
  Writer writer;
  writer.number(static_cast<int64_t>(job.files.size()));
  for (const auto& [name, bytes] : job.files) {
    writer.text(name);
    writer.text(bytes);
  }
  writer.number(static_cast<int64_t>(job.arguments.size()));
  for (const auto& argument : job.arguments) writer.text(argument);
  return sealed_file(writer.bytes());
}

// One of the program's streams: its bytes up to the cap.
struct Stream {
  Descriptor read_end, write_end;
  std::string* text;
  bool over = false;

  explicit Stream(std::string* to) : text(to) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw Error(fmt::format("sandbox: cannot make a pipe: {}", std::strerror(errno)));
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
  // What is there now. Closes at the end of the stream, and when the program wrote more than `cap`.
  void drain(int64_t cap) {
    char buffer[65536];
    while (read_end.get() >= 0) {
      const ssize_t n = read(read_end.get(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n > 0) {
        const auto room = static_cast<size_t>(cap) - text->size();
        text->append(buffer, std::min(room, static_cast<size_t>(n)));
        over = static_cast<size_t>(n) > room;
      }
      if (n <= 0 || over) read_end = Descriptor();
    }
  }
};

// A plain file, at most `cap` bytes of it.
std::string read_program(int file, int64_t cap) {
  struct stat about;
  if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size > cap) return "";
  std::string bytes(static_cast<size_t>(about.st_size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = pread(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

// A job that runs: what is polled, and what is known so far.
struct Watch {
  const Job& job;
  const Cgroup& cgroup;
  Counters before;
  Facts facts;
  Descriptor process, report;  // pidfd of process 1; its report socket
  bool started = false;
  Clock::time_point start = Clock::now(), killed;
  std::array<Stream, 3> streams{Stream(&facts.output), Stream(&facts.errors), Stream(&facts.channel)};

  Watch(const Job& of, const Cgroup& in) : job(of), cgroup(in), before(in.read()) {}

  void kill(Facts::Stop why) {
    if (facts.stop == Facts::Stop::itself) {
      facts.stop = why;
      killed = Clock::now();
    }
    syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  }
  double cpu_seconds() const {
    const int64_t now = cgroup.read().cpu_nanos;
    return now < 0 ? 0 : static_cast<double>(now - before.cpu_nanos) * 1e-9;
  }
  void check_clocks() {
    if (seconds_since(start) > job.limits.wall_seconds) kill(Facts::Stop::wall);
    else if (before.cpu_nanos >= 0 && cpu_seconds() > job.limits.cpu_seconds) kill(Facts::Stop::cpu);
  }
  void drain() {
    for (auto& stream : streams) {
      stream.drain(job.limits.output_bytes);
      if (stream.over) kill(Facts::Stop::output);
    }
  }
  void take_reports();
  void wait_for_end(int trainer);
};

void Watch::take_reports() {
  Report said;
  for (;;) {
    Descriptor attached;
    if (!receive_packet(report.get(), &said, sizeof said, attached)) return;
    if (said.kind == Report::started) started = true;
    if (said.kind == Report::failed) {
      said.step[sizeof said.step - 1] = '\0';
      // After the start only process 1 could say this, and it does not: a program cannot make itself a sandbox_error.
      if (!started) facts.error = fmt::format("cannot {}: {}", said.step, std::strerror(said.error));
    }
    if (said.kind != Report::ended) continue;
    facts.ended = true;
    facts.wait_status = said.wait_status;
    facts.folder_full = said.folder_full != 0;
    facts.cpu_seconds = static_cast<double>(said.cpu_micros) * 1e-6;
    if (attached.get() >= 0) facts.program = read_program(attached.get(), job.limits.work_folder_mb << 20);
  }
}

void Watch::wait_for_end(int trainer) {
  for (auto& stream : streams) stream.write_end = Descriptor();
  for (;;) {
    std::array<pollfd, 5> ready = {{{process.get(), POLLIN, 0}, {trainer, POLLRDHUP, 0}, {streams[0].read_end.get(), POLLIN, 0},
                                    {streams[1].read_end.get(), POLLIN, 0}, {streams[2].read_end.get(), POLLIN, 0}}};
    const double left_ms = (job.limits.wall_seconds - seconds_since(start)) * 1000;
    poll(ready.data(), ready.size(), std::clamp(static_cast<int>(std::ceil(left_ms)), 1, tick_ms));
    drain();
    if (ready[0].revents != 0) break;
    if (ready[1].revents != 0) kill(Facts::Stop::wall);  // nobody waits for it any more
    check_clocks();
    if (facts.stop != Facts::Stop::itself && seconds_since(killed) * 1000 > end_ms) {
      throw Error("sandbox: a killed job did not end");
    }
  }
}

void start(const Room& room, const StartRequest& request, const Job& job, Watch& watch) {
  const Descriptor spec = describe(job), input = sealed_file(job.input);
  int reports[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, reports) != 0) {
    throw Error(fmt::format("sandbox: cannot make a report socket: {}", std::strerror(errno)));
  }
  watch.report = Descriptor(reports[0]);
  const Descriptor theirs(reports[1]);
  fcntl(reports[0], F_SETFL, O_NONBLOCK);
  const int descriptors[start_descriptors] = {spec.get(), input.get(), watch.streams[0].write_end.get(),
                                              watch.streams[1].write_end.get(), theirs.get(), watch.streams[2].write_end.get()};
  if (!send_packet(room.socket(), &request, sizeof request, descriptors, start_descriptors)) {
    throw Error("sandbox: the room is gone");
  }
  pollfd ready{room.socket(), POLLIN, 0};
  StartAnswer answer{};
  if (poll(&ready, 1, static_cast<int>(end_ms)) != 1 || !receive_packet(room.socket(), &answer, sizeof answer, watch.process)) {
    throw Error("sandbox: the room does not answer");
  }
  if (answer.error != 0) throw Error(fmt::format("sandbox: cannot make a job's namespaces: {}", std::strerror(answer.error)));
}

}  // namespace

Kind kind_of(Job::Runtime runtime) {
  switch (runtime) {
    case Job::Runtime::python: return Kind::python;
    case Job::Runtime::native: return Kind::native;
    case Job::Runtime::compile_cpp: return Kind::compile_cpp;
  }
  return Kind::native;
}

Slot::Slot(const Plan& plan, int64_t number)
    : plan_(plan), uid_(first_uid + static_cast<uint32_t>(number)),
      cgroup_(folder_name(getpid(), number), plan.memory_cgroup, plan.pids_cgroup),
      filter_(plan.filter ? sealed_file(make_filter()).release() : open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

Room& Slot::room(bool python) {
  auto& room = python ? python_ : native_;
  if (!room) {
    if (python && find_python().empty()) {
      throw Error("sandbox: there is no /usr/bin/python3 and no /usr/local/bin/python3. Install Python 3.");
    }
    room = std::make_unique<Room>(RoomSettings{plan_, python, uid_, filter_, &cgroup_});
  }
  return *room;
}

StartRequest Slot::request(const Job& job, Kind kind) const {
  const auto& limits = job.limits;
  StartRequest request{};
  request.memory_bytes = limits.memory_mb << 20;
  request.folder_bytes = limits.work_folder_mb << 20;
  request.folder_files = limits.files + static_cast<int64_t>(job.files.size()) + 1;  // the folder is one
  request.cpu_seconds = static_cast<int64_t>(std::ceil(limits.cpu_seconds));
  // The room's own and process 1 count too. Where a cgroup counts, it should be the one that refuses, for it tells.
  request.processes = limits.processes + (cgroup_.limits_pids() ? 8 : 2);
  request.limit_address_space = !cgroup_.limits_memory();
  request.stack_bytes = (cgroup_.limits_memory() ? 64 : 16) << 20;
  request.landlock = plan_.landlock;
  request.filter = plan_.filter;
  request.channel = job.result_channel;
  request.uid = request.gid = uid_;
  request.kind = kind;
  return request;
}

Facts Slot::run_in(Room& room, const Job& job, Kind kind, int trainer) {
  if (kind == Kind::compile_cpp && access("/usr/bin/g++", X_OK) != 0) {
    throw Error("sandbox: there is no /usr/bin/g++. Install g++.");  // not the fault of what was to be compiled
  }
  const int64_t rooms = (native_ ? 1 : 0) + (python_ ? 1 : 0);
  cgroup_.limit((job.limits.memory_mb << 20) + rooms * room_bytes, job.limits.processes + rooms + 1);
  Watch watch(job, cgroup_);
  start(room, request(job, kind), job, watch);
  watch.wait_for_end(trainer);
  watch.drain();
  watch.take_reports();
  Facts& facts = watch.facts;
  facts.wall_seconds = seconds_since(watch.start);
  const Counters after = cgroup_.read();
  if (after.cpu_nanos >= 0) facts.cpu_seconds = watch.cpu_seconds();
  facts.oom_kills = after.oom_kills - watch.before.oom_kills;
  facts.refused_forks = after.refused_forks - watch.before.refused_forks;
  if (!watch.started && facts.error.empty()) {
    facts.error = "process 1 of the job ended before its walls stood; is memory_mb too small?";
  }
  return facts;
}

Facts Slot::run(const Job& job, Kind kind, int trainer) {
  auto& kept = kind == Kind::python ? python_ : native_;
  for (;;) {
    const bool fresh = !kept;
    Facts facts;
    try {
      facts = run_in(room(kind == Kind::python), job, kind, trainer);
    } catch (const std::exception& error) {
      facts.error = error.what();
    }
    if (facts.error.empty()) return facts;
    kept.reset();
    if (fresh) return facts;  // an older room may have died with the job before
  }
}

}  // namespace reward::sandbox
