// The cells that reel-bench knows.
#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/cells/rnn.hpp>

#include <reel/bench/cell.hpp>

#include "cells.hpp"

namespace bench {
namespace {

using namespace reel;

REEL_BENCH_CELL(Lstm, "lstm", .gates = 4, .builtin = "lstm", .equations = "lstm");
REEL_BENCH_CELL(Gru, "gru", .gates = 3, .builtin = "gru", .equations = "gru");
REEL_BENCH_CELL(Rnn, "rnn", .gates = 1, .builtin = "rnn", .equations = "rnn");
REEL_BENCH_CELL(CustomLstm, "custom-lstm", .gates = 4, .builtin = "lstm", .equations = "lstm",
                .in_all = false);
REEL_BENCH_CELL(PlainLstm, "plain-lstm", .gates = 4, .builtin = "lstm", .equations = "lstm",
                .in_all = false);
REEL_BENCH_CELL(TwoResetGru, "two-reset-gru", .gates = 4, .builtin = "lstm", .in_all = false);

}  // namespace
}  // namespace bench
