// The variants of the LSTM and the GRU and the other cells, for typed tests.
#pragma once

#include <reel/layers/cells/ind_rnn.hpp>
#include <reel/layers/cells/layer_norm_gru.hpp>
#include <reel/layers/cells/mgu.hpp>
#include <reel/layers/cells/min_gru.hpp>
#include <reel/layers/cells/min_lstm.hpp>
#include <reel/layers/cells/sru.hpp>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {

// How a cell is made from its sizes and a Random; its parameters are then drawn anew, so that no
// two gains or biases are equal.
template <class C, auto start>
struct MakeDrawn {
  using Cell = C;
  static C make(std::size_t in, std::size_t hidden, std::uint64_t seed = 7) {
    Random random(seed);
    C cell = start(in, hidden, random);
    for_each_parameter(cell, [&](const std::string& name, Parameter& p) {
      const bool gain = name.starts_with("gain");
      p.mutable_value() = uniform(p.shape(), gain ? 0.5 : -0.5, gain ? 1.5 : 0.5, random);
    });
    return cell;
  }
};
template <class C, auto... option>
C make_cell(std::size_t in, std::size_t hidden, Random& random) {
  return C(in, hidden, random, option...);
}
template <bool peepholes, bool coupled, bool layer_norm>
Lstm make_lstm(std::size_t in, std::size_t hidden, Random& random) {
  return Lstm(in, hidden, random,
              {.peepholes = peepholes, .coupled = coupled, .layer_norm = layer_norm});
}
// As wide as hidden, since the tests' problems have states of one width.
inline Lstm make_lstm_with_all(std::size_t in, std::size_t hidden, Random& random) {
  return Lstm(in, hidden, random,
              {.peepholes = true, .coupled = true, .projection = hidden, .layer_norm = true});
}
inline Gru make_gru_reset_before(std::size_t in, std::size_t hidden, Random& random) {
  return Gru(in, hidden, random, {.reset_before = true});
}

struct LstmPeephole : MakeDrawn<Lstm, make_lstm<true, false, false>> {
  static constexpr const char* kName = "lstm_peephole";
};
struct LstmCoupled : MakeDrawn<Lstm, make_lstm<false, true, false>> {
  static constexpr const char* kName = "lstm_coupled";
};
struct LstmLayerNorm : MakeDrawn<Lstm, make_lstm<false, false, true>> {
  static constexpr const char* kName = "lstm_layer_norm";
};
struct LstmNormalPeephole : MakeDrawn<Lstm, make_lstm<true, false, true>> {
  static constexpr const char* kName = "lstm_normal_peephole";
};
struct LstmAll : MakeDrawn<Lstm, make_lstm_with_all> {
  static constexpr const char* kName = "lstm_all";
};
struct GruResetBefore : MakeDrawn<Gru, make_gru_reset_before> {
  static constexpr const char* kName = "gru_reset_before";
};
struct MakeLayerNormGru : MakeDrawn<LayerNormGru, make_cell<LayerNormGru>> {
  static constexpr const char* kName = "gru_layer_norm";
};
struct MakeMgu : MakeDrawn<Mgu, make_cell<Mgu>> {
  static constexpr const char* kName = "mgu";
};
struct MakeIndRnn : MakeDrawn<IndRnn, make_cell<IndRnn>> {
  static constexpr const char* kName = "ind_rnn";
};
struct MakeMinGru : MakeDrawn<MinGru, make_cell<MinGru>> {
  static constexpr const char* kName = "min_gru";
};
struct MakeMinLstm : MakeDrawn<MinLstm, make_cell<MinLstm>> {
  static constexpr const char* kName = "min_lstm";
};
struct MakeSru : MakeDrawn<Sru, make_cell<Sru>> {
  static constexpr const char* kName = "sru";
};
struct SruSquare : MakeDrawn<Sru, make_cell<Sru>> {
  static constexpr const char* kName = "sru_square";
};
struct MakeSlstm : MakeDrawn<Slstm, make_cell<Slstm>> {
  static constexpr const char* kName = "slstm";
};
struct SlstmExp : MakeDrawn<Slstm, make_cell<Slstm, Slstm::Forget::kExp>> {
  static constexpr const char* kName = "slstm_exp";
};

// Each kind of step once.
using MoreCells = ::testing::Types<LstmAll, LstmPeephole, GruResetBefore, MakeLayerNormGru, MakeMgu,
                                   MakeIndRnn, MakeMinGru, MakeMinLstm, MakeSru, MakeSlstm>;

}  // namespace reel::inline REEL_PRECISION::layer_tests
