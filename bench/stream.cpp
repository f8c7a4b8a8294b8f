#include "stream.hpp"

#include <fmt/format.h>
#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/cells/rnn.hpp>
#include <reel/layers/recurrent.hpp>

#include <chrono>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cells.hpp"
#include "count_malloc.hpp"
#include "report.hpp"

namespace bench {
namespace {

constexpr std::size_t kSteps = 256;  // of the sequence that is streamed again and again
constexpr double kTurn = 20'000;     // us; long enough for the clock of the processor to rise

template <class C>
StreamResult time_cell(const std::string& cell, std::size_t size, std::size_t turns) {
  reel::Random random(1);
  const reel::Recurrent<C> layer(C(size, size, random));
  const reel::Array x = reel::uniform({kSteps, 1, size}, -1, 1, random);
  const reel::Array expected = layer(reel::Var(x)).outputs.value();
  auto stream = layer.stream(1, size);
  for (std::size_t t = 0; t < kSteps; ++t) {
    const auto got = stream.step({x.data() + t * size, size});
    if (std::memcmp(got.data(), expected.data() + t * size, got.size_bytes()) != 0)
      throw std::runtime_error(fmt::format("{} {}: step {} differs from the layer", cell, size, t));
  }

  // Sequences are timed one by one, so that other programs spoil few of them.
  const auto run = [&] {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    for (std::size_t t = 0; t < kSteps; ++t) stream.step({x.data() + t * size, size});
    const std::chrono::duration<double, std::micro> time = Clock::now() - start;
    return time.count() / kSteps;
  };
  run();
  const auto runs = turns * static_cast<std::size_t>(kTurn / (run() * kSteps) + 1);
  std::vector<double> us;
  us.reserve(runs);
  start_counting_mallocs();
  for (std::size_t i = 0; i < runs; ++i) us.push_back(run());
  const long mallocs = counted_mallocs();
  return {cell, size, summary(std::move(us)), mallocs};
}

}  // namespace

StreamResult time_stream(const std::string& cell, std::size_t size, std::size_t turns) {
  if (cell == "lstm") return time_cell<reel::Lstm>(cell, size, turns);
  if (cell == "gru") return time_cell<reel::Gru>(cell, size, turns);
  if (cell == "rnn") return time_cell<reel::Rnn>(cell, size, turns);
  if (cell == "custom-lstm") return time_cell<CustomLstm>(cell, size, turns);
  if (cell == "plain-lstm") return time_cell<PlainLstm>(cell, size, turns);
  if (cell == "two-reset-gru") return time_cell<TwoResetGru>(cell, size, turns);
  throw std::invalid_argument("--stream: unknown cell " + cell);
}

std::string line(const StreamResult& r) {
  return fmt::format("cell={} size={} stream_us={:.3f} mallocs={} spread={:.2f}", r.cell, r.size,
                     r.us.median, r.mallocs, r.us.spread());
}

void write_json(const std::string& file, const std::vector<StreamResult>& results) {
  nlohmann::json cases = nlohmann::json::array();
  for (const StreamResult& r : results)
    cases.push_back(
        {{"cell", r.cell},
         {"size", r.size},
         {"stream_us", {{"median", r.us.median}, {"low", r.us.low}, {"high", r.us.high}}},
         {"mallocs", r.mallocs}});
  std::ofstream out(file);
  out << nlohmann::json{{"machine", machine()}, {"streams", cases}}.dump(1) << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

}  // namespace bench
