#include "kernels/attention.h"

#include <algorithm>
#include <memory>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr int64_t kBlockRows = 16;  // most query rows of one block

void* scratch_of(int64_t bytes) {
  thread_local std::unique_ptr<std::byte[]> block;
  thread_local int64_t size = 0;
  if (size < bytes) block = std::make_unique<std::byte[]>(static_cast<size_t>(bytes)), size = bytes;
  return block.get();
}

struct Operands {
  const at::Tensor &q, &keys, &values;
  const AttentionPlan& plan;
  const AttentionShape& shape;
  Dtype dtype;

  int64_t per_key() const { return shape.heads / shape.key_heads; }
};

Operands check_operands(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const AttentionPlan& plan,
                        const AttentionShape& s) {
  if (!q.is_cpu() || !keys.is_cpu())
    fail("attention: a tensor is on {}, but this build has no kernels for it; move it to the CPU.", q.is_cpu() ? keys.device().str() : q.device().str());
  if (s.key_heads <= 0 || s.heads % s.key_heads != 0) fail("attention: {} query heads do not divide into {} key heads.", s.heads, s.key_heads);
  if (q.dim() != 3 || q.size(1) != s.heads || q.size(2) != s.key_dim)
    fail("attention: q must be [rows, {}, {}].", s.heads, s.key_dim);
  const auto is_storage = [&](const at::Tensor& x, int64_t dim) {
    return x.dim() == 4 && x.size(0) == keys.size(0) && x.size(1) == s.key_heads && x.size(2) == key_tile && x.size(3) == dim &&
           x.is_contiguous();
  };
  if (!is_storage(keys, s.key_dim)) fail("attention: keys must be [tiles, {}, {}, {}].", s.key_heads, key_tile, s.key_dim);
  if (values.defined() && !is_storage(values, s.value_dim))
    fail("attention: values must be [{}, {}, {}, {}].", keys.size(0), s.key_heads, key_tile, s.value_dim);
  if (!values.defined() && s.value_dim > s.key_dim) fail("attention: value_dim {} is larger than key_dim {}.", s.value_dim, s.key_dim);
  if (plan.rows() > q.size(0)) fail("attention: a segment ends at row {}, but the batch has {} rows.", plan.rows(), q.size(0));
  if (plan.storage_rows() > keys.size(0) * key_tile)
    fail("attention: a span ends at row {}, but the keys are a storage of {} rows.", plan.storage_rows(), keys.size(0) * key_tile);
  return {q, keys, values, plan, s, dtype_of(keys)};
}

char* at_element(const at::Tensor& x, int64_t element) {
  return static_cast<char*>(x.data_ptr()) + element * static_cast<int64_t>(x.element_size());
}

AttentionBlock block_of(const Operands& in, const AttentionRow* rows, int64_t count, int64_t key_head) {
  const AttentionShape& s = in.shape;
  AttentionBlock b{};
  b.rows = rows;
  b.count = count;
  b.heads_per_key = in.per_key();
  b.keys = at_element(in.keys, key_head * key_tile * s.key_dim);
  b.values = in.values.defined() ? at_element(in.values, key_head * key_tile * s.value_dim) : nullptr;
  b.key_tile_stride = s.key_heads * key_tile * s.key_dim;
  b.value_tile_stride = s.key_heads * key_tile * s.value_dim;
  b.key_dim = s.key_dim;
  b.value_dim = s.value_dim;
  b.scale = s.scale;
  return b;
}

// Row `i` of a segment.
AttentionRow row_of(const Operands& in, const AttentionOutput& out, const AttentionPlan::Segment& s, int64_t i, int64_t key_head) {
  const AttentionShape& shape = in.shape;
  const int64_t row = s.first_row + i, head = key_head * in.per_key(), position = s.first_position + i;
  AttentionRow r{};
  r.q = f32(in.q) + (row * shape.heads + head) * shape.key_dim;
  r.key_rows = in.plan.key_rows(s);
  r.key_tiles = in.plan.key_tiles(s);
  r.first_key_position = s.first_key_position;
  r.keys = s.keys;
  r.first_visible = s.window > 0 ? std::max(s.first_key_position, position - s.window + 1) : s.first_key_position;
  r.position = position;
  r.out = at_element(out.out, (row * shape.heads + head) * shape.value_dim);
  r.log_sum = f32(out.log_sum) + row * shape.heads + head;
  return r;
}

// Query rows of one or more segments, in order.
struct RowAt {
  int32_t segment, row;
};

std::vector<RowAt> all_rows(const AttentionPlan& plan) {
  std::vector<RowAt> rows;
  rows.reserve(static_cast<size_t>(plan.rows()));
  for (size_t i = 0; i < plan.segments().size(); ++i)
    for (int64_t r = 0; r < plan.segments()[i].rows; ++r) rows.push_back({static_cast<int32_t>(i), static_cast<int32_t>(r)});
  return rows;
}

void zero_rows(const at::Tensor& x, const std::vector<std::pair<int64_t, int64_t>>& runs) {
  const int64_t bytes = x.numel() / std::max<int64_t>(1, x.size(0)) * static_cast<int64_t>(x.element_size());
  for (const auto& [first, end] : runs) std::fill_n(static_cast<char*>(x.data_ptr()) + first * bytes, (end - first) * bytes, char{0});
}

}  // namespace

AttentionOutput attention(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const AttentionPlan& plan,
                          const AttentionShape& shape) {
  const Operands in = check_operands(q, keys, values, plan, shape);
  AttentionOutput out{empty_of(in.dtype, {q.size(0), shape.heads, shape.value_dim}), empty_f32({q.size(0), shape.heads})};
  const auto uncovered = plan.uncovered(q.size(0));
  zero_rows(out.out, uncovered);
  zero_rows(out.log_sum, uncovered);
  const auto rows = all_rows(plan);
  const auto count = static_cast<int64_t>(rows.size());
  // Neighbours go into one block: those of one group then read their prompt's keys once. Few rows make small blocks, or
  // threads would idle.
  const int64_t block_rows = std::clamp<int64_t>(count * shape.key_heads / (4 * threads()), 1, kBlockRows);
  const int64_t blocks = (count + block_rows - 1) / block_rows;
  const CpuKernels& cpu = cpu_kernels();
  parallel_for(blocks * shape.key_heads, [&](int64_t task) {
    const int64_t first = task / shape.key_heads * block_rows, key_head = task % shape.key_heads;
    const int64_t n = std::min(block_rows, count - first);
    AttentionRow block_rows_of[kBlockRows];
    for (int64_t i = 0; i < n; ++i) {
      const RowAt at = rows[static_cast<size_t>(first + i)];
      block_rows_of[i] = row_of(in, out, plan.segments()[static_cast<size_t>(at.segment)], at.row, key_head);
    }
    AttentionBlock block = block_of(in, block_rows_of, n, key_head);
    block.scratch = scratch_of(cpu.attention_scratch(n, in.per_key(), shape.key_dim, shape.value_dim));
    in.dtype == Dtype::bf16 ? cpu.attention_bf16(block) : cpu.attention_f32(block);
  });
  return out;
}

namespace {

// All of a segment's rows against one key head, in blocks, in order.
void segment_backward(const Operands& in, const AttentionPlan::Segment& s, int64_t key_head, const at::Tensor& dout,
                      const AttentionOutput& forward, const AttentionGradient& to) {
  const CpuKernels& cpu = cpu_kernels();
  const AttentionShape& shape = in.shape;
  const int64_t head = key_head * in.per_key();
  for (int64_t first = 0; first < s.rows; first += kBlockRows) {
    const int64_t n = std::min(kBlockRows, s.rows - first), row = s.first_row + first;
    AttentionRow rows[kBlockRows];
    for (int64_t i = 0; i < n; ++i) rows[i] = row_of(in, forward, s, first + i, key_head);
    AttentionBlock block = block_of(in, rows, n, key_head);
    block.scratch = scratch_of(cpu.attention_backward_scratch(n, in.per_key(), shape.key_dim, shape.value_dim));
    AttentionGradientBlock g{};
    g.dout = f32(dout) + (row * shape.heads + head) * shape.value_dim;
    g.dout_stride = shape.heads * shape.value_dim;
    g.dq = f32(to.q) + (row * shape.heads + head) * shape.key_dim;
    g.dq_stride = shape.heads * shape.key_dim;
    g.dkeys = f32(to.keys) + key_head * shape.key_dim;
    g.dvalues = to.values.defined() ? f32(to.values) + key_head * shape.value_dim : nullptr;
    g.dkey_stride = shape.key_heads * shape.key_dim;
    g.dvalue_stride = shape.key_heads * shape.value_dim;
    in.dtype == Dtype::bf16 ? cpu.attention_backward_bf16(block, g) : cpu.attention_backward_f32(block, g);
  }
}

}  // namespace

AttentionGradient attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                                     const AttentionOutput& forward, const AttentionPlan& plan, const AttentionShape& shape) {
  const Operands in = check_operands(q, keys, values, plan, shape);
  AttentionGradient out;
  out.q = empty_f32({q.size(0), shape.heads, shape.key_dim});
  zero_rows(out.q, plan.uncovered(q.size(0)));
  out.keys = zeros_f32({keys.size(0) * key_tile, shape.key_heads, shape.key_dim});
  if (values.defined()) out.values = zeros_f32({keys.size(0) * key_tile, shape.key_heads, shape.value_dim});
  // Segments of one group share key rows, so a group's segments of one key head go to one thread, in order.
  const auto& segments = plan.segments();
  struct Task { size_t first_segment, end_segment; int64_t key_head; };
  std::vector<Task> tasks;
  for (size_t i = 0; i < segments.size();) {
    size_t end = i;
    while (end < segments.size() && segments[end].group == segments[i].group) ++end;
    for (int64_t k = 0; k < shape.key_heads; ++k) tasks.push_back({i, end, k});
    i = end;
  }
  parallel_for(static_cast<int64_t>(tasks.size()), [&](int64_t i) {
    const Task& t = tasks[static_cast<size_t>(i)];
    for (size_t s = t.first_segment; s < t.end_segment; ++s) segment_backward(in, segments[s], t.key_head, dout, forward, out);
  });
  return out;
}

}  // namespace kernels
