// What a recurrent layer answers to a problem, by name: values, final state, all gradients.
#pragma once

#include <gtest/gtest.h>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/cells/rnn.hpp>
#include <reel/layers/cells/slstm.hpp>
#include <reel/layers/recurrent.hpp>

#include <cstring>
#include <limits>
#include <map>

namespace reel::inline REEL_PRECISION::layer_tests {

using Answers = std::map<std::string, Array>;
using Lengths = std::vector<std::size_t>;

inline constexpr bool kIsDouble = sizeof(real) == 8;
// Another number of rows is another product, which may add its terms in another order: that error
// relative to the largest element, with room for some ten steps of a cell.
inline constexpr double kRounding = 64 * std::numeric_limits<real>::epsilon();

// A loss sum(outputs * d_outputs) + sum(final * d_final) over a layer run on x.
struct Problem {
  Array x;                     // [T, B, in]
  Lengths lengths;             // empty: all T
  std::vector<Array> initial;  // state parts
  Array d_outputs;             // [T, B, width]
  std::vector<Array> d_final;
};

template <class State>
const std::size_t kParts =
    [] {
      State state;
      return state_parts(state);
    }()
        .size();

template <class State>
State make_state(const std::vector<Var>& parts) {
  State state;
  for (std::size_t i = 0; i < parts.size(); ++i) *state_parts(state)[i] = parts[i];
  return state;
}

inline std::string part_name(std::size_t i) { return std::string("hcdefgijk").substr(i, 1); }

inline Array random_array(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  return uniform(shape, -1, 1, random);
}

// All state parts are as wide as the first.
template <class State>
Problem random_problem(std::size_t steps, std::size_t batch, std::size_t in, std::size_t width,
                       const Lengths& lengths = {}) {
  Problem p{random_array({steps, batch, in}, 1), lengths, {}, {}, {}};
  p.d_outputs = random_array({steps, batch, width}, 2);
  for (std::size_t i = 0; i < kParts<State>; ++i) {
    p.initial.push_back(random_array({batch, width}, 10 + i));
    p.d_final.push_back(random_array({batch, width}, 20 + i));
  }
  if constexpr (std::is_same_v<State, Slstm::State>) p.initial[2] += 2;  // a normaliser
  return p;
}

// Names as in tests/goldens: outputs, h_n, grad.x, grad.h0, grad.weight_ih_l0, ..
// `run(x, state)` gives {outputs, final state}.
template <class State, class Run>
Answers answers_of(const Problem& p, const std::vector<Parameter*>& parameters, Run&& run) {
  for (Parameter* parameter : parameters) parameter->zero_grad();
  Answers answers;
  Tape tape;
  const Var x = tape.leaf(p.x);
  std::vector<Var> initial;
  for (const Array& part : p.initial) initial.push_back(tape.leaf(part));
  auto [outputs, final_state] = run(x, make_state<State>(initial));
  answers["outputs"] = outputs.value();
  Var loss = sum(outputs * Var(p.d_outputs));
  for (std::size_t i = 0; i < initial.size(); ++i) {
    const Var part = *state_parts(final_state)[i];
    answers[part_name(i) + "_n"] = part.value();
    loss = loss + sum(part * Var(p.d_final[i]));
  }
  tape.backward(loss);
  answers["grad.x"] = x.grad();
  for (std::size_t i = 0; i < initial.size(); ++i)
    answers["grad." + part_name(i) + "0"] = initial[i].grad();
  for (Parameter* parameter : parameters)
    answers["grad." + parameter->name] =
        parameter->has_grad() ? parameter->grad() : full_array(parameter->shape(), 0);
  return answers;
}

template <class C>
Answers answers_of(Recurrent<C>& layer, const Problem& p) {
  using State = typename C::State;
  return answers_of<State>(p, parameters(layer), [&](const Var& x, const State& state) {
    const auto result = layer(x, {.lengths = p.lengths, .state = state});
    return std::pair(result.outputs, result.state);
  });
}

// Largest difference, relative to the largest element of `expected`.
inline double relative_error(const Array& actual, const Array& expected) {
  EXPECT_EQ(shape_of(actual), shape_of(expected));
  if (shape_of(actual) != shape_of(expected)) return INFINITY;
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double a = actual.data()[i], e = expected.data()[i];
    if (std::isnan(a - e)) return NAN;  // which no tolerance accepts
    difference = std::max(difference, std::abs(a - e));
    largest = std::max(largest, std::abs(e));
  }
  return difference == 0 ? 0 : difference / largest;
}

inline bool same_bits(const Array& a, const Array& b) {
  return shape_of(a) == shape_of(b) &&
         std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0;
}

inline void expect_near(const Answers& actual, const Answers& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, array] : expected)
    EXPECT_LE(relative_error(actual.at(name), array), tolerance) << name;
}

inline void expect_same_bits(const Answers& actual, const Answers& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, array] : expected)
    EXPECT_TRUE(same_bits(actual.at(name), array))
        << name << " differs by " << relative_error(actual.at(name), array);
}

// The built-in cells, for typed tests: its name in the goldens, and how it is made.
template <class C>
struct MakeCell {
  using Cell = C;
  static C make(std::size_t in, std::size_t hidden, std::uint64_t seed = 7) {
    Random random(seed);
    if constexpr (std::is_same_v<C, Rnn>)
      return C(in, hidden, random, Rnn::Activation::kTanh, Init::kPyTorch);
    else
      return C(in, hidden, random, Init::kPyTorch);
  }
};
struct RnnTanh : MakeCell<Rnn> {
  static constexpr const char* kName = "rnn_tanh";
};
struct RnnRelu : MakeCell<Rnn> {
  static constexpr const char* kName = "rnn_relu";
  static Rnn make(std::size_t in, std::size_t hidden, std::uint64_t seed = 7) {
    Rnn cell = MakeCell<Rnn>::make(in, hidden, seed);
    cell.activation = Rnn::Activation::kRelu;
    return cell;
  }
};
struct MakeLstm : MakeCell<Lstm> {
  static constexpr const char* kName = "lstm";
};
struct MakeGru : MakeCell<Gru> {
  static constexpr const char* kName = "gru";
};
using BuiltInCells = ::testing::Types<RnnTanh, RnnRelu, MakeLstm, MakeGru>;
struct CellName {
  template <class M>
  static std::string GetName(int) {
    return M::kName;
  }
};

}  // namespace reel::inline REEL_PRECISION::layer_tests
