// Recurrent layers on top of each other.
#pragma once

#include <reel/layers/bidirectional.hpp>
#include <reel/layers/dropout.hpp>

namespace reel::inline REEL_PRECISION {

// Each layer, a Recurrent or a Bidirectional, runs over the outputs of the one below.
template <class Layer>
struct Stack {
  using State = std::vector<typename Layer::State, PoolAllocator<typename Layer::State>>;
  using Options = RecurrentOptions<State>;
  using Result = RecurrentResult<State>;
  struct Config {
    real dropout = 0;  // on what one layer gives to the next
    // From the second layer on, what enters a layer (before dropout) is added to its outputs.
    bool residual = false;
  };

  static constexpr bool kRunsForward = Layer::kRunsForward;

  std::vector<Layer> layers;
  Dropout dropout;
  bool residual;

  // Throws ShapeError unless each layer takes what the one below gives.
  explicit Stack(std::vector<Layer> all, Config config = {});

  // A memory budget for checkpoints is divided among the layers.
  Result operator()(const Var& x, const Options& options) const;
  Result operator()(const Var& x) const { return (*this)(x, Options{}); }

  // One step without time: x [B, in] -> output [B, width] and state, as inference does it.
  std::pair<Var, State> step(const Var& x, const State& state) const requires Layer::kRunsForward;
  State initial_state(std::size_t batch) const {
    State state;
    for (const Layer& layer : layers) state.push_back(layer.initial_state(batch));
    return state;
  }
  // One step per call; `in`: the width of x, 0 to find out in the first step. Of both directions
  // there is none.
  Stream<State> stream(std::size_t batch, std::size_t in = 0) const;
  std::size_t width() const { return layers.back().width(); }
  void check_input(std::size_t width) const { layers.front().check_input(width); }

  // PyTorch's names: weight_ih_l1, or weight_ih_l1_reverse.
  static void fields(auto& self, auto&& visit) {
    for (std::size_t l = 0; l < self.layers.size(); ++l)
      self.layers[l].named_fields(self.layers[l], "_l" + std::to_string(l), visit);
  }

 private:
  void check_layers(const State& state) const {
    check(state.size() == layers.size(),
          "stack: the initial state must have one state for each of {} layers; got {}",
          layers.size(), state.size());
  }
};

struct StackConfig {
  real dropout = 0;  // between layers
  bool residual = false;
  RecurrentDropout recurrent = {};  // within each layer
  bool learned_start = false;
};

// Layers C(input, hidden[0], random, more..), C(hidden[0] or its outputs' width, hidden[1], ..),
// ...
template <Cell C, class... More>
Stack<Recurrent<C>> make_stack(std::size_t input, std::span<const std::size_t> hidden,
                               Random& random, const StackConfig& config = {},
                               const More&... more) {
  std::vector<Recurrent<C>> layers;
  for (const std::size_t size : hidden) {
    const std::size_t in = layers.empty() ? input : layers.back().width();
    layers.emplace_back(C(in, size, random, more...),
                        typename Recurrent<C>::Config{config.recurrent, config.learned_start});
  }
  return Stack<Recurrent<C>>(std::move(layers), {config.dropout, config.residual});
}
template <Cell C, class... More>
Stack<Bidirectional<C>> make_bidirectional_stack(std::size_t input,
                                                 std::span<const std::size_t> hidden,
                                                 Random& random, const StackConfig& config = {},
                                                 const Merge& merge = {}, const More&... more) {
  std::vector<Bidirectional<C>> layers;
  for (const std::size_t size : hidden) {
    const std::size_t in = layers.empty() ? input : layers.back().width();
    C forward(in, size, random, more...), backward(in, size, random, more...);
    layers.emplace_back(
        std::move(forward), std::move(backward),
        typename Bidirectional<C>::Config{merge, config.recurrent, config.learned_start});
  }
  return Stack<Bidirectional<C>>(std::move(layers), {config.dropout, config.residual});
}

template <class Layer>
Stack<Layer>::Stack(std::vector<Layer> all, Config config)
    : layers(std::move(all)), dropout(config.dropout), residual(config.residual) {
  check<Error>(!layers.empty(), "stack: there must be at least one layer");
  for (std::size_t l = 1; l < layers.size(); ++l) {
    const std::size_t below = layers[l - 1].width();
    detail::check_chain(l, below, [&] { layers[l].check_input(below); });
    check(!residual || layers[l].width() == below,
          "stack: residual layers must be equally wide; got {} for layer {}, {} for layer {}",
          below, l - 1, layers[l].width(), l);
  }
}

template <class Layer>
auto Stack<Layer>::operator()(const Var& x, const Options& options) const -> Result {
  std::optional<ParameterScope> parameters;
  if (!ParameterScope::current()) parameters.emplace();
  check(x.dim() == 3, "stack: x must be {}; got {}",
        options.batch_first ? "[B, T, in]" : "[T, B, in]", x.shape());
  if (options.state) check_layers(*options.state);
  Result result;
  if (options.all_states) result.states.emplace();
  Var below = options.batch_first ? detail::swap_time(x) : x;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const bool top = l + 1 == layers.size();
    typename Layer::Options one{.lengths = options.lengths,
                                .all_outputs = options.all_outputs || !top,
                                .all_states = options.all_states,
                                .reversed = options.reversed,
                                .random = options.random,
                                .checkpoint = detail::share(options.checkpoint, layers.size())};
    if (options.state) one.state = (*options.state)[l];
    auto made = layers[l](l == 0 ? below : dropout(below, options.random), one);
    if (residual && l > 0) {
      if (made.outputs) made.outputs = made.outputs + below;
      made.last_output = made.last_output + result.last_output;
    }
    below = made.outputs;
    result.last_output = made.last_output;
    result.state.push_back(std::move(made.state));
    if (made.states) result.states->push_back(std::move(*made.states));
  }
  result.outputs = below;
  if (options.batch_first) {
    if (result.outputs) result.outputs = detail::swap_time(result.outputs);
    if (result.states)
      for_each_part(*result.states, [](Var& part) { part = detail::swap_time(part); });
  }
  return result;
}

template <class Layer>
auto Stack<Layer>::stream(std::size_t batch, std::size_t in) const -> Stream<State> {
  if constexpr (kRunsForward)
    return {"stack", batch, in, initial_state(batch),
            [this](const Var& x, const State& state) { return step(x, state); }};
  else
    throw Error(std::string(Layer::kNoStream));
}

template <class Layer>
auto Stack<Layer>::step(const Var& x, const State& state) const -> std::pair<Var, State>
requires Layer::kRunsForward {
  check_layers(state);
  State next;
  Var below = x;
  if constexpr (kRunsForward)  // Clang before 16 compiles this for other layers too
    for (std::size_t l = 0; l < layers.size(); ++l) {
      auto [output, layer_state] = layers[l].step(below, state[l]);
      below = residual && l > 0 ? Var(output + below) : output;
      next.push_back(std::move(layer_state));
    }
  return {below, std::move(next)};
}

}  // namespace reel::inline REEL_PRECISION
