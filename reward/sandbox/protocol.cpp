#include "reward/sandbox/protocol.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

#include "reward/sandbox/wire.h"

namespace reward::sandbox {

std::string encode(const Plan& plan) {
  std::string text;
  for (const bool part : {plan.user, plan.network, plan.uts, plan.cgroup, plan.landlock, plan.filter, plan.memory_cgroup,
                          plan.pids_cgroup}) {
    text.push_back(part ? '1' : '0');
  }
  return text;
}

Plan decode_plan(const std::string& text) {
  Plan plan;
  size_t i = 0;
  for (bool* part : {&plan.user, &plan.network, &plan.uts, &plan.cgroup, &plan.landlock, &plan.filter, &plan.memory_cgroup,
                     &plan.pids_cgroup}) {
    *part = text.at(i++) == '1';
  }
  return plan;
}

std::string encode(const Job& job) {
  Writer writer;
  writer.number(static_cast<int64_t>(job.runtime));
  writer.number(static_cast<int64_t>(job.files.size()));
  for (const auto& [name, bytes] : job.files) {
    writer.text(name);
    writer.text(bytes);
  }
  writer.number(static_cast<int64_t>(job.arguments.size()));
  for (const auto& argument : job.arguments) writer.text(argument);
  writer.text(job.input);
  writer.number(job.result_channel);
  const auto& limits = job.limits;
  writer.real(limits.wall_seconds);
  writer.real(limits.cpu_seconds);
  for (const int64_t number : {limits.memory_mb, limits.processes, limits.work_folder_mb, limits.files, limits.output_bytes}) {
    writer.number(number);
  }
  return writer.bytes();
}

Job decode_job(const std::string& bytes) {
  Reader reader(bytes);
  Job job;
  job.runtime = static_cast<Job::Runtime>(reader.number());
  for (int64_t files = reader.number(); files > 0; --files) {
    std::string name = reader.text();
    job.files.emplace_back(std::move(name), reader.text());
  }
  for (int64_t arguments = reader.number(); arguments > 0; --arguments) job.arguments.push_back(reader.text());
  job.input = reader.text();
  job.result_channel = reader.number() != 0;
  auto& limits = job.limits;
  limits.wall_seconds = reader.real();
  limits.cpu_seconds = reader.real();
  for (int64_t* number : {&limits.memory_mb, &limits.processes, &limits.work_folder_mb, &limits.files, &limits.output_bytes}) {
    *number = reader.number();
  }
  return job;
}

std::string encode(const Facts& facts) {
  Writer writer;
  writer.text(facts.error);
  writer.number(static_cast<int64_t>(facts.stop));
  for (const int64_t number : {int64_t{facts.ended}, int64_t{facts.wait_status}, facts.oom_kills, facts.refused_forks,
                               int64_t{facts.folder_full}}) {
    writer.number(number);
  }
  writer.real(facts.wall_seconds);
  writer.real(facts.cpu_seconds);
  for (const auto* text : {&facts.output, &facts.errors, &facts.channel, &facts.program}) writer.text(*text);
  return writer.bytes();
}

Facts decode_facts(const std::string& bytes) {
  Reader reader(bytes);
  Facts facts;
  facts.error = reader.text();
  facts.stop = static_cast<Facts::Stop>(reader.number());
  facts.ended = reader.number() != 0;
  facts.wait_status = static_cast<int>(reader.number());
  facts.oom_kills = reader.number();
  facts.refused_forks = reader.number();
  facts.folder_full = reader.number() != 0;
  facts.wall_seconds = reader.real();
  facts.cpu_seconds = reader.real();
  for (auto* text : {&facts.output, &facts.errors, &facts.channel, &facts.program}) *text = reader.text();
  return facts;
}

std::string encode(const std::vector<Wall>& walls) {
  Writer writer;
  writer.number(static_cast<int64_t>(walls.size()));
  for (const auto& wall : walls) {
    writer.text(wall.name);
    writer.number(wall.stands);
    writer.number(wall.required);
    writer.text(wall.detail);
  }
  return writer.bytes();
}

std::vector<Wall> decode_walls(const std::string& bytes) {
  Reader reader(bytes);
  std::vector<Wall> walls(static_cast<size_t>(reader.number()));
  for (auto& wall : walls) {
    wall.name = reader.text();
    wall.stands = reader.number() != 0;
    wall.required = reader.number() != 0;
    wall.detail = reader.text();
  }
  return walls;
}

int64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

namespace {

bool send_all(int socket, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t n = send(socket, bytes, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

bool receive_all(int socket, char* bytes, size_t size, int64_t deadline_ms) {
  while (size > 0) {
    pollfd ready{socket, POLLIN, 0};
    const int64_t left = deadline_ms < 0 ? -1 : std::max<int64_t>(0, deadline_ms - now_ms());
    const int n = poll(&ready, 1, static_cast<int>(left));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    const ssize_t got = recv(socket, bytes, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

}  // namespace

bool send_message(int socket, const std::string& bytes) {
  const auto size = static_cast<uint64_t>(bytes.size());
  return send_all(socket, reinterpret_cast<const char*>(&size), sizeof size) && send_all(socket, bytes.data(), bytes.size());
}

bool receive_message(int socket, std::string& bytes, int64_t deadline_ms) {
  uint64_t size = 0;
  if (!receive_all(socket, reinterpret_cast<char*>(&size), sizeof size, deadline_ms)) return false;
  bytes.resize(size);
  return receive_all(socket, bytes.data(), size, deadline_ms);
}

}  // namespace reward::sandbox
