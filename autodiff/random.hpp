// Seeded random numbers that are the same on every platform and standard library.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

namespace reel {

class Random;

// Hears of the Randoms that draw on this thread (see random_states.hpp).
class DrawWatcher {
 public:
  virtual void before_draw(Random& random) = 0;
  virtual void before_end(const Random& random) = 0;
  static inline thread_local constinit DrawWatcher* current = nullptr;

 protected:
  ~DrawWatcher() = default;
};

// The i-th number, from 0 on, of the generator SplitMix64 (Steele, Lea & Flood 2014).
constexpr std::uint64_t splitmix64(std::uint64_t seed, std::uint64_t i) {
  std::uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// A stream of random numbers; copies continue independently from the same point.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  Random(const Random&) = default;
  Random& operator=(const Random&) = default;
  ~Random() {
    if (DrawWatcher::current) [[unlikely]]
      DrawWatcher::current->before_end(*this);
  }

  std::uint64_t bits() {
    if (DrawWatcher::current) [[unlikely]]
      DrawWatcher::current->before_draw(*this);
    return engine_();
  }
  // Uniform in [0, 1), 53 random bits.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // Standard normal (Box & Muller 1958).
  double normal() {
    double radius = std::sqrt(-2 * std::log1p(-uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }
  // Uniform in 0 .. bound - 1, unbiased; bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t limit = -bound % bound;  // 2^64 mod bound
    for (;;)
      if (std::uint64_t draw = bits(); draw >= limit) return draw % bound;
  }
  // Fisher & Yates.
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace reel
