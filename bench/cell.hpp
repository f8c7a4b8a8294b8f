// Measuring a cell: a file that registers it, linked to reel-bench.
#pragma once

#include <reel/bench/reel_layers.hpp>
#include <reel/bench/reel_stream.hpp>

#include <optional>

namespace bench {

template <reel::Cell C>
std::unique_ptr<ReelContestant> make_layers(const Problem& problem) {
  return std::make_unique<ReelLayers<C>>(problem);
}

// What CellKind says of a cell, but its name and maker.
struct CellTraits {
  std::size_t gates;           // the products are [rows, in or hidden] x [.., gates * hidden]
  std::string builtin = "";    // for --peer builtin: reel's own cell with the same products
  std::string equations = "";  // of "lstm", "gru" or "rnn" if it has them: peers must then agree
  bool in_all = true;          // is it one of --cell all?
  // If fewer gates multiply the state: so many.
  std::optional<std::size_t> recurrent_gates = {};
  // So many more multiply an input that is not as wide as the state.
  std::size_t resizing_gates = 0;
};

template <reel::Cell C>
CellKind kind_of(const char* name, const CellTraits& traits) {
  return {name,
          traits.equations,
          traits.builtin,
          traits.gates,
          traits.recurrent_gates.value_or(traits.gates),
          traits.resizing_gates,
          traits.in_all,
          make_layers<C>,
          time_stream<C>};
}

}  // namespace bench

// Makes a cell known to reel-bench by this name; stands once per cell in a .cpp file. The cell is
// constructed as Cell(input, hidden, random).
//   REEL_BENCH_CELL(MyCell, "my-cell", .gates = 4, .builtin = "lstm");
#define REEL_BENCH_CELL(Cell, name, ...) REEL_BENCH_CELL_AT(__COUNTER__, Cell, name, __VA_ARGS__)
#define REEL_BENCH_CELL_AT(counter, Cell, name, ...) \
  REEL_BENCH_CELL_AS(counter, Cell, name, __VA_ARGS__)
#define REEL_BENCH_CELL_AS(counter, Cell, cell_name, ...)        \
  [[maybe_unused]] static const bool reel_bench_cell_##counter = \
      bench::add_cell_kind(bench::kind_of<Cell>(cell_name, bench::CellTraits{__VA_ARGS__}))
