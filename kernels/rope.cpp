#include "kernels/rope.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <utility>

#include "kernels/check.h"
#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {

namespace {

constexpr int64_t kChunk = 1024;  // positions made at a time

}  // namespace

struct RopeTable::State {
  std::vector<double> inverse_frequency;
  int64_t positions = 0;
  bool interleaved = false;
  double magnitude = 1.0;
  std::vector<std::unique_ptr<float[]>> chunks;  // [kChunk][2][J]: cos and sin of a position side by side
  std::atomic<int64_t> made{0};                  // chunks
  std::mutex mutex;

  int64_t pairs() const { return static_cast<int64_t>(inverse_frequency.size()); }
  void make_chunk(int64_t index) {
    auto chunk = std::make_unique<float[]>(static_cast<size_t>(kChunk * 2 * pairs()));
    parallel_for(kChunk, [&](int64_t i) {
      float *cos = chunk.get() + i * 2 * pairs(), *sin = cos + pairs();
      for (int64_t j = 0; j < pairs(); ++j) {
        const double angle = static_cast<double>(index * kChunk + i) * inverse_frequency[static_cast<size_t>(j)];
        cos[j] = static_cast<float>(magnitude * std::cos(angle));
        sin[j] = static_cast<float>(magnitude * std::sin(angle));
      }
    });
    chunks[static_cast<size_t>(index)] = std::move(chunk);
  }
};

RopeTable::RopeTable(std::vector<double> inverse_frequency, int64_t positions, bool interleaved, double magnitude)
    : state_(std::make_shared<State>()) {
  state_->inverse_frequency = std::move(inverse_frequency);
  state_->positions = positions;
  state_->interleaved = interleaved;
  state_->magnitude = magnitude;
  state_->chunks.resize(static_cast<size_t>((positions + kChunk - 1) / kChunk));
}

int64_t RopeTable::positions() const { return state_->positions; }
int64_t RopeTable::pairs() const { return state_->pairs(); }
bool RopeTable::interleaved() const { return state_->interleaved; }
int64_t RopeTable::bytes() const { return state_->made.load() * kChunk * 2 * pairs() * static_cast<int64_t>(sizeof(float)); }

void RopeTable::reach(int64_t positions) const {
  const int64_t wanted = (positions + kChunk - 1) / kChunk;
  if (state_->made.load(std::memory_order_acquire) >= wanted) return;
  const std::lock_guard<std::mutex> lock(state_->mutex);
  for (int64_t i = state_->made.load(); i < wanted; ++i) {
    state_->make_chunk(i);
    state_->made.store(i + 1, std::memory_order_release);
  }
}

const float* RopeTable::cos(int64_t position) const {
  return state_->chunks[static_cast<size_t>(position / kChunk)].get() + position % kChunk * 2 * pairs();
}

const float* RopeTable::sin(int64_t position) const { return cos(position) + pairs(); }

RopeTurn::RopeTurn(const at::Tensor& x, const int32_t* positions, const RopeTable& table, int64_t offset, bool inverse)
    : positions_(positions), table_(table), pairs_(table.pairs()), sign_(inverse ? -1.0f : 1.0f) {
  if (x.dim() != 3) fail("rope_in_place: x is {}; it must have three dimensions: rows, heads, head size.", shape_text(x));
  heads_ = x.size(1), size_ = x.size(2);
  if (offset < 0 || offset + 2 * pairs_ > size_)
    fail("rope_in_place: elements {} to {} turn, but a head of x {} has {}.", offset, offset + 2 * pairs_, shape_text(x), size_);
  int64_t reached = 0;
  for (int64_t n = 0; n < x.size(0); ++n) {
    if (positions[n] < 0 || positions[n] >= table.positions())
      fail("rope_in_place: position {} of row {} is outside the table of {}; raise the longest sequence.", positions[n], n,
           table.positions());
    reached = std::max<int64_t>(reached, positions[n] + 1);
  }
  table_.reach(reached);
  data_ = f32(x) + offset;
  turn_ = table.interleaved() ? cpu_kernels().rope_interleaved : cpu_kernels().rope_halves;
}

void RopeTurn::operator()(int64_t row) const {
  const int64_t position = positions_[row];
  turn_(data_ + row * heads_ * size_, heads_, size_, table_.cos(position), table_.sin(position), pairs_, sign_);
}

void rope_in_place(const at::Tensor& x, const int32_t* positions, const RopeTable& table, int64_t offset, bool inverse) {
  const RopeTurn turn(x, positions, table, offset, inverse);
  const int64_t row_work = x.size(1) * table.pairs();
  parallel_ranges(x.size(0), 8192 / std::max<int64_t>(1, row_work) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) turn(n);
  });
}

}  // namespace kernels
