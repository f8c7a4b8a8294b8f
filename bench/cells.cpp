// The cells that reel-bench knows.
#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/ind_rnn.hpp>
#include <reel/layers/cells/layer_norm_gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/cells/mgu.hpp>
#include <reel/layers/cells/min_gru.hpp>
#include <reel/layers/cells/min_lstm.hpp>
#include <reel/layers/cells/rnn.hpp>
#include <reel/layers/cells/slstm.hpp>
#include <reel/layers/cells/sru.hpp>

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

// The rest of the family, beside the LSTM.
struct LayerNormLstm : Lstm {
  LayerNormLstm(std::size_t in, std::size_t hidden, Random& random)
      : Lstm(in, hidden, random, Options{.layer_norm = true}) {}
};
struct PeepholeLstm : Lstm {
  PeepholeLstm(std::size_t in, std::size_t hidden, Random& random)
      : Lstm(in, hidden, random, Options{.peepholes = true}) {}
};
REEL_BENCH_CELL(Sru, "sru", .gates = 3, .builtin = "lstm", .in_all = false, .recurrent_gates = 0,
                .resizing_gates = 1);
REEL_BENCH_CELL(MinGru, "min-gru", .gates = 2, .builtin = "lstm", .in_all = false,
                .recurrent_gates = 0);
REEL_BENCH_CELL(MinLstm, "min-lstm", .gates = 3, .builtin = "lstm", .in_all = false,
                .recurrent_gates = 0);
REEL_BENCH_CELL(IndRnn, "ind-rnn", .gates = 1, .builtin = "lstm", .in_all = false,
                .recurrent_gates = 0);
REEL_BENCH_CELL(Mgu, "mgu", .gates = 2, .builtin = "lstm", .in_all = false);
REEL_BENCH_CELL(LayerNormGru, "layer-norm-gru", .gates = 3, .builtin = "lstm", .in_all = false);
REEL_BENCH_CELL(LayerNormLstm, "layer-norm-lstm", .gates = 4, .builtin = "lstm", .in_all = false);
REEL_BENCH_CELL(PeepholeLstm, "peephole-lstm", .gates = 4, .builtin = "lstm", .in_all = false);
REEL_BENCH_CELL(Slstm, "slstm", .gates = 4, .builtin = "lstm", .in_all = false);

}  // namespace
}  // namespace bench
