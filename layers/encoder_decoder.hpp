// Sequence to sequence: an encoder in both directions, and a decoder that attends to its outputs.
#pragma once

#include <reel/layers/attention.hpp>
#include <reel/layers/bidirectional.hpp>
#include <reel/layers/cells/gru.hpp>
#include <reel/layers/dropout.hpp>
#include <reel/layers/embedding.hpp>
#include <reel/layers/linear.hpp>
#include <reel/layers/loss.hpp>
#include <reel/layers/target_steps.hpp>

namespace reel::inline REEL_PRECISION {

struct EncoderDecoderOptions {
  std::size_t source_tokens = 0, target_tokens = 0;  // how many there are
  std::size_t embedding_size = 256, hidden_size = 256;
  AttentionScore score = AttentionScore::kGeneral;  // or kAdditive; kDot needs other widths
  // The attentional vector of a step enters the next one beside the token (Luong et al. 2015).
  bool input_feeding = true;
  real dropout = 0;  // of embeddings and attentional vectors
};

// One step of the decoder, from token y and state (s, h~):
//   s' = cell([embedding(y); h~], s), context = attention(s'), h~' = tanh(W [context; s'])
// and the next token's scores are out(h~'). The decoder starts from tanh of a linear map of the
// encoder's two final states.
template <Cell C>
struct EncoderDecoder {
  // A state (see state.hpp) that holds all a row needs, so that its rows can be gathered.
  struct State {
    Var attentional;  // h~ [B, hidden]
    typename C::State cell;
    AttentionMemory memory;
  };
  struct Step {
    State state;
    Var weights;  // of attention [B, T]
  };

  EncoderDecoderOptions options;
  Embedding source, target;
  Bidirectional<C> encoder;
  std::vector<Linear> bridge;  // for each part of the cell's state
  C cell;
  Attention attention;
  Linear combine, out;
  Dropout dropout;

  EncoderDecoder(const EncoderDecoderOptions& chosen, Random& random);

  // tokens [T, B] -> the decoder's state before its first step. `random`: of dropout, here and
  // below; null: none.
  State encode(const Indices& tokens, std::span<const std::size_t> lengths,
               Random* random = nullptr) const;
  // The last token of each row [B] -> the state after it.
  Step step(const Indices& tokens, const State& state, Random* random = nullptr) const;
  // Scores of the next token [B, target tokens] from h~ [B, hidden].
  Var scores(const Var& attentional) const { return out(attentional); }

  // Mean over all tokens of -log p of the targets' tokens given those before them. After a step
  // the decoder is fed the target's token, or, as `teacher` says, its own likeliest one.
  Var loss(const State& start, const TargetSteps& targets, const Teacher& teacher = {},
           real label_smoothing = 0, Random* random = nullptr) const;
  // Weights of attention [S, T] while the decoder is fed the tokens of one row's target, [S].
  Array alignment(const State& start, std::int64_t first,
                  std::span<const std::int64_t> tokens) const;

  static void fields(auto& self, auto&& visit) {
    visit("source", self.source);
    visit("target", self.target);
    visit("encoder", self.encoder);
    for (std::size_t i = 0; i < self.bridge.size(); ++i)
      visit("bridge_" + std::to_string(i), self.bridge[i]);
    visit("decoder", self.cell);
    visit("attention", self.attention);
    visit("combine", self.combine);
    visit("out", self.out);
  }

 private:
  std::size_t input_size() const {
    return options.embedding_size + (options.input_feeding ? options.hidden_size : 0);
  }
};

template <Cell C>
EncoderDecoder<C>::EncoderDecoder(const EncoderDecoderOptions& chosen, Random& random)
    : options(chosen),
      source(chosen.source_tokens, chosen.embedding_size, random, 0.1),
      target(chosen.target_tokens, chosen.embedding_size, random, 0.1),
      encoder(C(chosen.embedding_size, chosen.hidden_size, random),
              C(chosen.embedding_size, chosen.hidden_size, random)),
      cell(input_size(), chosen.hidden_size, random),
      attention({.score = chosen.score,
                 .query_size = chosen.hidden_size,
                 .value_size = 2 * chosen.hidden_size},
                random),
      combine(3 * chosen.hidden_size, chosen.hidden_size, random),
      out(chosen.hidden_size, chosen.target_tokens, random),
      dropout(chosen.dropout) {
  const typename C::State start = cell.initial_state(1);
  for (const Var* part : state_parts(start))
    bridge.emplace_back(2 * part->size(1), part->size(1), random);
}

template <Cell C>
auto EncoderDecoder<C>::encode(const Indices& tokens, std::span<const std::size_t> lengths,
                               Random* random) const -> State {
  check(tokens.dimension() == 2, "encoder: tokens must be [T, B]; got {}", shape_of(tokens));
  const auto encoded = encoder(dropout(source(tokens), random), {.lengths = lengths});
  State state{zeros({tokens.shape(1), options.hidden_size}), cell.initial_state(tokens.shape(1)),
              attention.memory(encoded.outputs, lengths)};
  const auto parts = state_parts(state.cell);
  const auto forward = state_parts(encoded.state.forward);
  const auto backward = state_parts(encoded.state.backward);
  for (std::size_t i = 0; i < parts.size(); ++i)
    *parts[i] = tanh(bridge[i](concat({*forward[i], *backward[i]}, 1)));
  return state;
}

template <Cell C>
auto EncoderDecoder<C>::step(const Indices& tokens, const State& state, Random* random) const
    -> Step {
  const Var y = dropout(target(tokens), random);
  const Var x = options.input_feeding ? concat({y, state.attentional}, 1) : y;
  State next{{}, cell_step(cell, x, state.cell), state.memory};
  const Var& s = first_part(next.cell);
  const auto [context, weights] = attention(s, state.memory);
  next.attentional = dropout(tanh(combine(concat({context, s}, 1))), random);
  return {std::move(next), weights};
}

template <Cell C>
Var EncoderDecoder<C>::loss(const State& start, const TargetSteps& targets, const Teacher& teacher,
                            real label_smoothing, Random* random) const {
  State state = start;
  targets.sort(state_parts(state));
  std::vector<Var> vectors;
  Indices tokens = targets.first();
  for (std::size_t t = 0; t < targets.steps(); ++t) {
    if (t > 0) {
      targets.keep_running(t, state_parts(state));
      tokens = targets.next(
          t, teacher, [&](const Indices& rows) { return scores(gather(state.attentional, rows)); });
    }
    state = step(tokens, state, random).state;
    vectors.push_back(state.attentional);
  }
  return cross_entropy(scores(concat(vectors, 0)), targets.tokens(),
                       {.label_smoothing = label_smoothing});
}

template <Cell C>
Array EncoderDecoder<C>::alignment(const State& start, std::int64_t first,
                                   std::span<const std::int64_t> tokens) const {
  State state = start;
  std::vector<Var> rows;
  Indices last = Indices::from_shape({1});
  last(0) = first;
  for (const std::int64_t token : tokens) {
    Step made = step(last, state);
    rows.push_back(std::move(made.weights));
    state = std::move(made.state);
    last(0) = token;
  }
  return rows.empty() ? Array(empty_array({0, state.memory.inside.size(1)}))
                      : concat(rows, 0).value();
}

#ifndef REEL_COMPILE_ENCODER_DECODER
extern template struct EncoderDecoder<Gru>;
#endif

}  // namespace reel::inline REEL_PRECISION
