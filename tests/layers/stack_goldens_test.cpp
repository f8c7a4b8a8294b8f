// Stacks in one and both directions against PyTorch: see tests/goldens/make_stack_goldens.py.
#include <fmt/format.h>
#include <reel/data/safetensors.hpp>
#include <reel/layers/stack.hpp>
#include <reel/optim/weights.hpp>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

constexpr double kTolerance = kIsDouble ? 1e-10 : 1e-5;

struct Case {
  std::size_t layers;
  bool batch_first;
};

std::string stack_file(const std::string& cell, const Case& c, bool bidirectional) {
  return fmt::format("{}/tests/goldens/stack_{}_{}{}{}.safetensors", REEL_SOURCE_DIR, cell,
                     c.layers, bidirectional ? "_bidirectional" : "",
                     c.batch_first ? "_batch_first" : "");
}

// h.l0, c.l0, h.l0_reverse, .., in the order of a stack's state parts.
std::vector<std::string> state_names(const Case& c, bool bidirectional, std::size_t parts) {
  std::vector<std::string> names;
  for (std::size_t l = 0; l < c.layers; ++l)
    for (const char* suffix : {"", "_reverse"}) {
      if (*suffix && !bidirectional) continue;
      for (std::size_t i = 0; i < parts; ++i)
        names.push_back(fmt::format("{}{{}}.l{}{}", "hc"[i], l, suffix));
    }
  return names;
}

template <class Layer>
void expect_golden(Stack<Layer> stack, const Case& c, const std::string& file,
                   const std::vector<std::string>& states) {
  NamedArrays golden = load_safetensors(file).arrays;
  const auto named = [&](const std::string& pattern, const char* when) -> const Array& {
    return golden.at(fmt::format(fmt::runtime(pattern), when));
  };
  Lengths lengths;
  for (real length : golden.at("lengths").storage())
    lengths.push_back(static_cast<std::size_t>(length));
  NamedArrays weights;
  for (const auto& [name, array] : golden)
    if (name.starts_with("weight_") || name.starts_with("bias_")) weights[name] = array;
  const std::vector<Parameter*> all = parameters(stack);
  import_weights(all, weights, file);

  Tape tape;
  const Var x = tape.leaf(golden.at("x"));
  auto initial = stack.initial_state(lengths.size());
  const auto parts = state_parts(initial);
  ASSERT_EQ(parts.size(), states.size());
  for (std::size_t i = 0; i < parts.size(); ++i) *parts[i] = tape.leaf(named(states[i], "0"));
  auto made = stack(x, {.lengths = lengths, .state = initial, .batch_first = c.batch_first});
  Var loss = sum(made.outputs * Var(golden.at("d_outputs")));
  const auto expect = [&](const Array& actual, const std::string& name) {
    EXPECT_LE(relative_error(actual, golden.at(name)), kTolerance) << name << " of " << file;
  };
  expect(made.outputs.value(), "outputs");
  const auto final = state_parts(made.state);
  for (std::size_t i = 0; i < final.size(); ++i) {
    const std::string name = fmt::format(fmt::runtime(states[i]), "_n");
    expect(final[i]->value(), name);
    loss = loss + sum(*final[i] * Var(golden.at("d_" + name)));
  }
  tape.backward(loss);
  expect(x.grad(), "grad.x");
  for (std::size_t i = 0; i < parts.size(); ++i)
    expect(parts[i]->grad(), "grad." + fmt::format(fmt::runtime(states[i]), "0"));
  for (const Parameter* p : all) expect(p->grad(), "grad." + p->name);
}

template <Cell C>
void expect_goldens(const std::string& cell, const auto& make) {
  const std::size_t parts = [] {
    typename C::State state;
    return state_parts(state).size();
  }();
  for (const std::size_t layers : {1, 2, 3})
    for (const bool batch_first : {false, true}) {
      const Case c{layers, batch_first};
      std::vector<Recurrent<C>> one_way;
      std::vector<Bidirectional<C>> both_ways;
      for (std::size_t l = 0; l < layers; ++l) {
        one_way.emplace_back(make(l == 0 ? 3 : one_way.back().width()));
        const std::size_t in = l == 0 ? 3 : both_ways.back().width();
        both_ways.emplace_back(make(in), make(in));
      }
      expect_golden(Stack(std::move(one_way)), c, stack_file(cell, c, false),
                    state_names(c, false, parts));
      expect_golden(Stack(std::move(both_ways)), c, stack_file(cell, c, true),
                    state_names(c, true, parts));
    }
}

Random unused(1);

TEST(StackGoldensTest, RnnTanh) {
  expect_goldens<Rnn>("rnn_tanh", [](std::size_t in) { return Rnn(in, 4, unused); });
}
TEST(StackGoldensTest, RnnRelu) {
  expect_goldens<Rnn>("rnn_relu",
                      [](std::size_t in) { return Rnn(in, 4, unused, Rnn::Activation::kRelu); });
}
TEST(StackGoldensTest, Lstm) {
  expect_goldens<Lstm>("lstm", [](std::size_t in) { return Lstm(in, 4, unused); });
}
TEST(StackGoldensTest, LstmWithProjection) {
  expect_goldens<Lstm>("lstm_projected", [](std::size_t in) {
    return Lstm(in, 4, unused, Lstm::Options{.projection = 2});
  });
}
TEST(StackGoldensTest, Gru) {
  expect_goldens<Gru>("gru", [](std::size_t in) { return Gru(in, 4, unused); });
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
