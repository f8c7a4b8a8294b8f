// A stream of a layer, timed.
#pragma once

#include <fmt/format.h>
#include <reel/layers/recurrent.hpp>

#include <chrono>
#include <cstring>

#include <reel/bench/count_malloc.hpp>
#include <reel/bench/stream.hpp>

namespace bench {

constexpr std::size_t kStreamSteps = 256;  // of the sequence that is streamed again and again
constexpr double kStreamTurn = 20'000;     // us; long enough for the clock of the processor to rise

// Times layer.stream(1) for input = hidden = size, in `turns` turns of some 20 ms. Throws if a
// step's output differs from the layer's in any bit.
template <reel::Cell C>
StreamResult time_stream(std::size_t size, std::size_t turns) {
  reel::Random random(1);
  const reel::Recurrent<C> layer(C(size, size, random));
  const reel::Array x = reel::uniform({kStreamSteps, 1, size}, -1, 1, random);
  const reel::Array expected = layer(reel::Var(x)).outputs.value();
  auto stream = layer.stream(1, size);
  for (std::size_t t = 0; t < kStreamSteps; ++t) {
    const auto got = stream.step({x.data() + t * size, size});
    if (std::memcmp(got.data(), expected.data() + t * size, got.size_bytes()) != 0)
      throw std::runtime_error(fmt::format("size {}: step {} differs from the layer", size, t));
  }

  // Sequences are timed one by one, so that other programs spoil few of them.
  const auto run = [&] {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    for (std::size_t t = 0; t < kStreamSteps; ++t) stream.step({x.data() + t * size, size});
    const std::chrono::duration<double, std::micro> time = Clock::now() - start;
    return time.count() / kStreamSteps;
  };
  run();
  const auto runs = turns * static_cast<std::size_t>(kStreamTurn / (run() * kStreamSteps) + 1);
  std::vector<double> us;
  us.reserve(runs);
  start_counting_mallocs();
  for (std::size_t i = 0; i < runs; ++i) us.push_back(run());
  const long mallocs = counted_mallocs();
  return {"", size, summary(std::move(us)), mallocs};
}

}  // namespace bench
