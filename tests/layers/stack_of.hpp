// Makes an AnyLayer of a cell: the part that is compiled for each.
#pragma once

#include <reel/layers/stack.hpp>

#include "answers.hpp"
#include "any_layer.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {

using detail::LayerRun;
using detail::Vars;

template <class Layer>
class StackOf final : public AnyLayer {
 public:
  StackOf(std::vector<Layer> layers, bool residual)
      : stack_(std::move(layers), {.residual = residual}), like_(stack_.initial_state(1)) {
    for_each_parameter(stack_, [&](const std::string& name, Parameter& parameter) {
      parameters.push_back({name, &parameter});
    });
  }

  LayerRun run(const Var& x, const Call& call) const override {
    typename Stack<Layer>::Options options{.lengths = call.lengths,
                                           .reversed = call.reversed,
                                           .batch_first = call.batch_first,
                                           .checkpoint = call.checkpoint};
    if (!call.state.empty()) options.state = detail::state_of(like_, call.state);
    const auto result = stack_(x, options);
    return {result.outputs, detail::parts_of(result.state)};
  }
  LayerRun run_by_layer(const Var& x, const Call& call) const override {
    std::optional<typename Stack<Layer>::State> given;
    if (!call.state.empty()) given = detail::state_of(like_, call.state);
    LayerRun result{x, {}};
    for (std::size_t l = 0; l < stack_.layers.size(); ++l) {
      typename Layer::Options options{
          .lengths = call.lengths, .reversed = call.reversed, .batch_first = call.batch_first};
      if (given) options.state = (*given)[l];
      const auto one = stack_.layers[l](result.outputs, options);
      result.outputs = stack_.residual && l > 0 ? Var(one.outputs + result.outputs) : one.outputs;
      for (const Var& part : detail::parts_of(one.state)) result.state.push_back(part);
    }
    return result;
  }
  bool can_stream() const override { return kStreams; }
  LayerRun stream(const Var& x, const Vars& state) const override {
    if constexpr (kStreams) {
      const auto [outputs, last] = detail::run_as_stream(stack_, x, detail::state_of(like_, state));
      return {outputs, detail::parts_of(last)};
    } else {
      throw std::logic_error("both directions do not stream");
    }
  }
  Vars initial_state(std::size_t batch) const override {
    return detail::parts_of(stack_.initial_state(batch));
  }
  std::size_t width() const override { return stack_.width(); }

 private:
  static constexpr bool kStreams = requires(const Layer& layer, typename Layer::State state) {
    layer.step(Var(), state);
  };
  Stack<Layer> stack_;
  const typename Stack<Layer>::State like_;
};

Merge merge_of(Configuration::Merging merging);

template <class M>
std::unique_ptr<AnyLayer> make(const Configuration& c) {
  using C = typename M::Cell;
  std::vector<Recurrent<C>> forward;
  std::vector<Bidirectional<C>> both;
  std::size_t in = c.in;
  for (std::size_t l = 0; l < c.hidden.size(); ++l) {
    const auto cell = [&](std::size_t i) { return M::make(in, c.hidden[l], c.seed + 2 * l + i); };
    if (c.both_directions) {
      both.emplace_back(cell(0), cell(1),
                        typename Bidirectional<C>::Config{.merge = merge_of(c.merging),
                                                          .learned_start = c.learned_start});
      in = both.back().width();
    } else {
      forward.emplace_back(cell(0),
                           typename Recurrent<C>::Config{.learned_start = c.learned_start});
      in = forward.back().width();
    }
  }
  if (c.both_directions)
    return std::make_unique<StackOf<Bidirectional<C>>>(std::move(both), c.residual);
  return std::make_unique<StackOf<Recurrent<C>>>(std::move(forward), c.residual);
}

struct Maker {
  std::string name;
  std::unique_ptr<AnyLayer> (*make)(const Configuration&);
};
template <class... Ms>
std::vector<Maker> makers(::testing::Types<Ms...>) {
  return {{Ms::kName, make<Ms>}...};
}

std::vector<Maker> makers_of_more_cells();

}  // namespace reel::inline REEL_PRECISION::layer_tests
