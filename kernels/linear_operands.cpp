#include "kernels/linear_operands.h"

#include <cstdlib>

namespace kernels {
namespace {

struct Block {
  std::unique_ptr<std::byte, decltype(&std::free)> memory{nullptr, &std::free};
  int64_t size = 0;
};

}  // namespace

std::byte* thread_scratch(int64_t wanted, int slot) {
  thread_local Block blocks[2];
  Block& block = blocks[slot];
  if (wanted > block.size) {
    block.memory.reset(static_cast<std::byte*>(std::aligned_alloc(64, static_cast<size_t>(round_up(wanted, 4096)))));
    if (!block.memory) fail("linear: out of memory for a scratch block of {} bytes.", wanted);
    block.size = round_up(wanted, 4096);
  }
  return block.memory.get();
}

const std::byte* bytes(const at::Tensor& x) { return static_cast<const std::byte*>(x.data_ptr()); }

Rows rows_of(const at::Tensor& x, int64_t width, const char* op, const char* what) {
  if (x.dim() != 2 || x.size(1) < width || (x.size(1) > 1 && x.stride(1) != 1))
    fail("{}: {} is [{}, {}]; it must be [rows, {}] with unit stride in the last dimension.", op, what, x.size(0),
         x.dim() > 1 ? x.size(1) : 0, width);
  return {bytes(x), x.stride(0), x.size(0)};
}

void check_dtype(const at::Tensor& x, Dtype dtype, const char* op, const char* what) {
  if (!x.is_cpu()) fail("{}: {} is on {}, but this build has no kernels for it; move it to the CPU.", op, what, x.device().str());
  if (dtype_of(x) != dtype) fail("{}: {} is {}, but the weight is {}.", op, what, name_of(dtype_of(x)), name_of(dtype));
}

std::vector<Job> expert_jobs(const at::Tensor& x, const PackedWeight& w, const std::vector<int64_t>& offsets, int64_t x_width,
                             const at::Tensor& y, const char* op) {
  if (static_cast<int64_t>(offsets.size()) != w.count() + 1 || offsets.back() != x.size(0))
    fail("{}: {} row offsets for {} experts and {} rows.", op, offsets.size(), w.count(), x.size(0));
  const Rows all = rows_of(x, x_width, op, "x");
  std::vector<Job> jobs;
  for (int64_t e = 0; e < w.count(); ++e)
    if (offsets[e + 1] > offsets[e])
      jobs.push_back({{all.data + offsets[e] * all.stride * bytes_of(w.dtype()), all.stride, offsets[e + 1] - offsets[e]}, &w, e,
                      f32(y) + offsets[e] * y.stride(0), y.stride(0)});
  return jobs;
}

std::vector<Job> head_jobs(const at::Tensor& x, const PackedWeight& w, int64_t x_width, const at::Tensor& y, const char* op) {
  if (x.dim() != 3 || x.size(1) != w.count() || x.size(2) != x_width || !x.is_contiguous())
    fail("{}: x must be a contiguous [rows, {}, {}].", op, w.count(), x_width);
  std::vector<Job> jobs;
  for (int64_t h = 0; h < w.count(); ++h)
    jobs.push_back({{bytes(x) + h * x_width * bytes_of(w.dtype()), w.count() * x_width, x.size(0)}, &w, h, f32(y) + h * y.size(2),
                    w.count() * y.size(2)});
  return jobs;
}

}  // namespace kernels
