#include "kernels/attention.h"

#include <algorithm>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr int64_t kQueryBlock = 16;  // query rows of one task

int64_t padded(int64_t n) { return (n + 15) / 16 * 16; }

float* scratch_of(int64_t floats) {
  thread_local std::vector<float> block;
  if (static_cast<int64_t>(block.size()) < floats) block.resize(static_cast<size_t>(floats));
  return block.data();
}

int64_t attention_scratch(const AttentionShape& s, int64_t rows) {
  const int64_t queries = rows * (s.heads / s.key_heads);
  return 32 * padded(s.key_dim) + 32 * padded(s.value_dim) + queries * (padded(s.value_dim) + 2);
}

// Storage row of each position that a segment sees.
struct KeyRows {
  std::vector<int64_t> rows;
  int64_t first_position = 0;
};

KeyRows key_rows_of(const AttentionSegment& segment, int64_t storage_rows) {
  KeyRows out;
  if (segment.spans.empty()) fail("attention: a segment of {} rows has no key spans.", segment.rows);
  out.first_position = segment.spans.front().first_position;
  int64_t next = out.first_position;
  for (const KeySpan& span : segment.spans) {
    if (span.first_position != next || span.length < 0 || span.first_key_row < 0 || span.first_key_row + span.length > storage_rows)
      fail("attention: span of rows {}+{} at position {} does not follow position {} or leaves the storage of {} rows.",
           span.first_key_row, span.length, span.first_position, next, storage_rows);
    for (int64_t i = 0; i < span.length; ++i) out.rows.push_back(span.first_key_row + i);
    next += span.length;
  }
  const int64_t last = segment.first_position + segment.rows;
  if (next < last) fail("attention: the spans end at position {}, but the segment's last row is at {}.", next - 1, last - 1);
  const int64_t needed = segment.window > 0 ? std::max<int64_t>(0, segment.first_position - segment.window + 1) : 0;
  if (out.first_position > needed)
    fail("attention: the spans start at position {}, but the first row sees position {}.", out.first_position, needed);
  return out;
}

struct Operands {
  const at::Tensor &q, &keys, &values;
  const AttentionShape& shape;
  Dtype dtype;
};

Operands check_operands(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const AttentionShape& s) {
  if (!q.is_cpu() || !keys.is_cpu())
    fail("attention: a tensor is on {}, but this build has no kernels for it; move it to the CPU.", q.is_cpu() ? keys.device().str() : q.device().str());
  if (s.key_heads <= 0 || s.heads % s.key_heads != 0) fail("attention: {} query heads do not divide into {} key heads.", s.heads, s.key_heads);
  if (q.dim() != 3 || q.size(1) != s.heads || q.size(2) != s.key_dim)
    fail("attention: q must be [rows, {}, {}].", s.heads, s.key_dim);
  if (keys.dim() != 3 || keys.size(1) != s.key_heads || keys.size(2) != s.key_dim)
    fail("attention: keys must be [rows, {}, {}].", s.key_heads, s.key_dim);
  if (values.defined() && (values.dim() != 3 || values.size(1) != s.key_heads || values.size(2) != s.value_dim || values.size(0) != keys.size(0)))
    fail("attention: values must be [{}, {}, {}].", keys.size(0), s.key_heads, s.value_dim);
  if (!values.defined() && s.value_dim > s.key_dim) fail("attention: value_dim {} is larger than key_dim {}.", s.value_dim, s.key_dim);
  return {q, keys, values, s, dtype_of(keys)};
}

void* at_element(const at::Tensor& x, int64_t element) {
  return static_cast<char*>(x.data_ptr()) + element * static_cast<int64_t>(x.element_size());
}

AttentionBlock block_of(const Operands& in, const AttentionSegment& segment, const KeyRows& key_rows, int64_t key_head, int64_t first,
                        int64_t rows, const AttentionOutput& out) {
  const AttentionShape& s = in.shape;
  const int64_t per_key = s.heads / s.key_heads, head = key_head * per_key, row = segment.first_row + first;
  AttentionBlock b{};
  b.q = f32(in.q) + row * s.heads * s.key_dim + head * s.key_dim;
  b.q_stride = s.heads * s.key_dim;
  b.rows = rows;
  b.first_position = segment.first_position + first;
  b.heads_per_key = per_key;
  b.keys = at_element(in.keys, key_head * s.key_dim);
  b.key_stride = s.key_heads * s.key_dim;
  b.values = in.values.defined() ? at_element(in.values, key_head * s.value_dim) : nullptr;
  b.value_stride = s.key_heads * s.value_dim;
  b.key_dim = s.key_dim;
  b.value_dim = s.value_dim;
  b.key_rows = key_rows.rows.data();
  b.first_key_position = key_rows.first_position;
  b.window = segment.window;
  b.scale = s.scale;
  b.out = at_element(out.out, row * s.heads * s.value_dim + head * s.value_dim);
  b.out_stride = s.heads * s.value_dim;
  b.log_sum = f32(out.log_sum) + row * s.heads + head;
  b.log_sum_stride = s.heads;
  b.scratch = scratch_of(attention_scratch(s, rows));
  return b;
}

std::vector<KeyRows> all_key_rows(const std::vector<AttentionSegment>& segments, int64_t storage_rows, int64_t query_rows) {
  std::vector<KeyRows> rows;
  rows.reserve(segments.size());
  for (const auto& segment : segments) {
    if (segment.first_row < 0 || segment.rows < 0 || segment.first_row + segment.rows > query_rows)
      fail("attention: a segment of rows {}+{} leaves the batch of {} rows.", segment.first_row, segment.rows, query_rows);
    rows.push_back(key_rows_of(segment, storage_rows));
  }
  return rows;
}

}  // namespace

AttentionOutput attention(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                          const std::vector<AttentionSegment>& segments, const AttentionShape& shape) {
  const Operands in = check_operands(q, keys, values, shape);
  AttentionOutput out{zeros_of(in.dtype, {q.size(0), shape.heads, shape.value_dim}), zeros_f32({q.size(0), shape.heads})};
  const auto key_rows = all_key_rows(segments, keys.size(0), q.size(0));
  struct Task { int64_t segment, key_head, first, rows; };
  std::vector<Task> tasks;
  for (size_t i = 0; i < segments.size(); ++i)
    for (int64_t first = 0; first < segments[i].rows; first += kQueryBlock)
      for (int64_t k = 0; k < shape.key_heads; ++k)
        tasks.push_back({static_cast<int64_t>(i), k, first, std::min(kQueryBlock, segments[i].rows - first)});
  const CpuKernels& cpu = cpu_kernels();
  parallel_for(static_cast<int64_t>(tasks.size()), [&](int64_t i) {
    const Task& t = tasks[i];
    const AttentionBlock block = block_of(in, segments[t.segment], key_rows[t.segment], t.key_head, t.first, t.rows, out);
    in.dtype == Dtype::bf16 ? cpu.attention_bf16(block) : cpu.attention_f32(block);
  });
  return out;
}

AttentionGradient attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                                     const AttentionOutput& forward, const std::vector<AttentionSegment>& segments,
                                     const AttentionShape& shape) {
  const Operands in = check_operands(q, keys, values, shape);
  AttentionGradient out;
  out.q = zeros_f32({q.size(0), shape.heads, shape.key_dim});
  out.keys = zeros_f32({keys.size(0), shape.key_heads, shape.key_dim});
  if (values.defined()) out.values = zeros_f32({keys.size(0), shape.key_heads, shape.value_dim});
  const auto key_rows = all_key_rows(segments, keys.size(0), q.size(0));
  // Segments of one group share key rows, so a group's segments of one key head go to one thread, in order.
  struct Task { int64_t first_segment, end_segment, key_head; };
  std::vector<Task> tasks;
  for (size_t i = 0; i < segments.size();) {
    size_t end = i;
    while (end < segments.size() && segments[end].group == segments[i].group) ++end;
    for (int64_t k = 0; k < shape.key_heads; ++k) tasks.push_back({static_cast<int64_t>(i), static_cast<int64_t>(end), k});
    i = end;
  }
  const CpuKernels& cpu = cpu_kernels();
  parallel_for(static_cast<int64_t>(tasks.size()), [&](int64_t i) {
    const Task& t = tasks[i];
    for (int64_t s = t.first_segment; s < t.end_segment; ++s) {
      const AttentionBlock block = block_of(in, segments[s], key_rows[s], t.key_head, 0, segments[s].rows, forward);
      const int64_t head = t.key_head * block.heads_per_key, row = segments[s].first_row;
      AttentionGradientBlock g{};
      g.dout = f32(dout) + (row * shape.heads + head) * shape.value_dim;
      g.dout_stride = shape.heads * shape.value_dim;
      g.dq = f32(out.q) + (row * shape.heads + head) * shape.key_dim;
      g.dkeys = f32(out.keys) + t.key_head * shape.key_dim;
      g.dvalues = values.defined() ? f32(out.values) + t.key_head * shape.value_dim : nullptr;
      in.dtype == Dtype::bf16 ? cpu.attention_backward_bf16(block, g) : cpu.attention_backward_f32(block, g);
    }
  });
  return out;
}

}  // namespace kernels
