#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/pool.hpp>
#include <reel/autodiff/tape.hpp>

#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "tensor.hpp"

namespace {
std::atomic<std::size_t> news = 0;  // calls of operator new, by anything in this program
}

void* operator new(std::size_t bytes) {
  ++news;
  if (void* memory = std::malloc(bytes ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
// Inlined, GCC would take them for free of what new gave.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace reel::testing {
namespace {

// A recurrent model of a few weights.
struct Model {
  Parameter w_x, w_h, bias;

  Model() {
    Random random(1);
    w_x = Parameter(random_array({64, 8}, random));
    w_h = Parameter(random_array({64, 16}, random));
    bias = Parameter(full_array({64}, 0));
  }
  void step(std::size_t length, std::size_t batch) const {
    for (const Parameter* p : {&w_x, &w_h, &bias}) p->zero_grad();
    Tape tape;
    Var h = zeros({batch, 16}), c = h;
    const Var xs = affine(Var(full_array({length * batch, 8}, real(0.1))), w_x, bias);
    for (std::size_t t = 0; t < length; ++t) {
      const auto row = static_cast<std::ptrdiff_t>(t * batch);
      Var gates = affine(h, w_h, slice(xs, 0, row, row + static_cast<std::ptrdiff_t>(batch)));
      auto [i, f, g, o] = split<4>(gates);
      std::tie(h, c) = pointwise(
          [](auto in, auto keep, auto value, auto out, auto old) {
            auto next = sigmoid(keep) * old + sigmoid(in) * tanh(value);
            return std::tuple{sigmoid(out) * tanh(next), next};
          },
          i, f, g, o, c);
    }
    tape.backward(sum(square(h)));
  }
};

std::size_t resident_bytes() {
  std::size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * 4096;
}

TEST(PoolTest, BlocksAreAlignedAndReused) {
  for (std::size_t bytes : {std::size_t{1}, pool::kMostSmall, pool::kMostSmall + 1}) {
    const std::size_t offset = bytes <= pool::kMostSmall ? pool::kHeader : 0;
    void* first = pool::allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % pool::kLine, offset);
    pool::release(first);
    EXPECT_EQ(pool::allocate(bytes), first);
    pool::release(first);
  }
  pool::release(nullptr);
}

TEST(PoolTest, NoSizeIsTooSmallOrWastesMoreThanAnEighthAndTwoLines) {
  for (std::size_t bytes = 0; bytes < 300000; bytes += 1 + bytes / 7) {
    pool::trim();
    const std::size_t before = pool::stats().in_use;
    void* block = pool::allocate(bytes);
    const std::size_t taken = pool::stats().in_use - before;
    EXPECT_GE(taken, bytes);
    EXPECT_LE(taken, bytes + bytes / 8 + 2 * pool::kLine);
    pool::release(block);
    EXPECT_EQ(pool::stats().in_use, before);
  }
}

TEST(PoolTest, ArraysOfAPowerOfTwoWasteALineAtMost) {
  for (std::size_t bytes = 2048; bytes < (std::size_t{1} << 24); bytes *= 2) {
    const std::size_t before = pool::stats().in_use;
    const detail::Value value = detail::allocate({bytes / sizeof(real)});
    EXPECT_EQ(pool::stats().in_use - before, bytes + pool::kLine);
  }
}

TEST(PoolTest, StatsCountAndTrimGivesBack) {
  pool::trim();
  const PoolStats before = pool::stats();
  void* block = pool::allocate(1 << 20);
  const std::size_t size = (1 << 20) + pool::kLine;  // room for what an array is stored with
  EXPECT_EQ(pool::stats().in_use, before.in_use + size);
  EXPECT_EQ(pool::stats().blocks_made, before.blocks_made + 1);
  pool::release(block);
  EXPECT_EQ(pool::stats().reserved, before.reserved + size);
  pool::trim();
  EXPECT_EQ(pool::stats().reserved, before.reserved);
  pool::reset_peak();
  EXPECT_EQ(pool::stats().peak_in_use, pool::stats().in_use);
}

TEST(PoolTest, ABlockOfANearbyClassServesToo) {
  pool::trim();
  void* block = pool::allocate(150000);
  pool::release(block);
  EXPECT_EQ(pool::allocate(120000), block);
  pool::release(block);
  void* smaller = pool::allocate(60000);
  EXPECT_NE(smaller, block);
  pool::release(smaller);
}

TEST(PoolTest, WaitingBlocksOfOtherSizesAreBounded) {
  const std::size_t before = pool::stats().reserved;
  for (std::size_t megabytes = 1; megabytes < 100; ++megabytes)
    pool::release(pool::allocate(megabytes << 20));
  EXPECT_LE(pool::stats().reserved, before + (std::size_t{200} << 20));
  pool::trim();
}

TEST(PoolTest, ASteadyStepAsksTheSystemForNothing) {
  const Model model;
  for (int i = 0; i < 2; ++i) model.step(20, 4);  // the first makes the gradients too
  const std::size_t calls = pool::stats().blocks_made, in_use = pool::stats().in_use;
  for (int i = 0; i < 5; ++i) model.step(20, 4);
  EXPECT_EQ(pool::stats().blocks_made, calls);
  EXPECT_EQ(pool::stats().in_use, in_use);
}

TEST(PoolTest, ASteadyStepNeverCallsNew) {
  const Model model;
  for (int i = 0; i < 2; ++i) model.step(20, 4);
  const std::size_t before = news;
  model.step(20, 4);
  EXPECT_EQ(news - before, 0u);
}

TEST(PoolTest, MemoryDoesNotGrowOverRandomLengths) {
  const Model model;
  Random random(5);
  pool::reset_peak();
  const auto some_steps = [&](int count) {
    for (int i = 0; i < count; ++i) model.step(1 + random.below(30), 1 + random.below(8));
  };
  some_steps(500);
  const std::size_t reserved = pool::stats().reserved, in_use = pool::stats().in_use;
  const std::size_t resident = resident_bytes();
  some_steps(9500);
  EXPECT_EQ(pool::stats().in_use, in_use);
  EXPECT_LE(pool::stats().reserved, reserved + (std::size_t{16} << 20));
  EXPECT_LE(resident_bytes(), resident + (std::size_t{24} << 20));
}

TEST(PoolTest, BlocksMayBeReturnedOnAnotherThread) {
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(pool::allocate(4096));
  std::thread([&] {
    void* own = pool::allocate(100);
    for (void* block : blocks) pool::release(block);
    pool::release(own);
    const PoolStats stats = pool::stats();
    EXPECT_GE(stats.reserved, stats.in_use);
    EXPECT_LT(stats.in_use, std::size_t{1} << 40);
  }).join();
}

TEST(PoolTest, AThreadThatOnlyReturnsBlocksKeepsABoundedShare) {
  std::vector<void*> blocks;
  for (int i = 0; i < 128; ++i) blocks.push_back(pool::allocate(1 << 20));
  std::size_t kept = 0;
  std::thread([&] {
    for (void* block : blocks) pool::release(block);
    kept = pool::stats().reserved;
  }).join();
  EXPECT_LE(kept, std::size_t{64} << 20);
}

// Blocks larger than what was asked for, of which the thread that trims knows but that.
TEST(PoolTest, TrimGivesBackAllThatOtherThreadsMade) {
  constexpr std::size_t kAsked = 10000, kMade = 14000;
  pool::trim();
  std::array<void*, 3> others, own;
  for (void*& block : others) block = pool::allocate(kMade);
  for (void* block : others) pool::release(block);
  const std::size_t before = pool::stats().blocks_made;
  for (void*& block : others) block = pool::allocate(kAsked);
  EXPECT_EQ(pool::stats().blocks_made, before);
  std::thread([&] {
    for (void*& block : own) block = pool::allocate(kAsked);
    for (void* block : others) pool::release(block);
    pool::trim();
    const PoolStats trimmed = pool::stats();
    EXPECT_EQ(trimmed.reserved, 0u);
    pool::release(pool::allocate(kMade));
    EXPECT_EQ(pool::stats().blocks_made, trimmed.blocks_made + 1);
  }).join();
  for (void* block : own) pool::release(block);
}
TEST(PoolTest, AnArrayMayOutliveTheThreadThatMadeIt) {
  Array array;
  std::thread([&] { array = full_array({100, 100}, 7); }).join();
  EXPECT_EQ(array(99, 99), 7);
}

}  // namespace
}  // namespace reel::testing
