#include "encoder.hpp"

namespace sentiment {

using namespace reel;

Encoder::Encoder(std::size_t input, const EncoderSettings& settings, Random& random)
    : layers_(make_layers(input, settings, random)), pooling_(settings.pooling) {
  if (pooling_ == "attention") attention_.emplace(width(), width(), random);
}

Encoder::Layers Encoder::make_layers(std::size_t input, const EncoderSettings& settings,
                                     Random& random) {
  const std::vector<std::size_t> sizes(settings.layers, settings.hidden_size);
  const StackConfig config{.dropout = settings.dropout};
  const auto make = [&]<class C>(std::type_identity<C>) -> Layers {
    if (settings.bidirectional) return make_bidirectional_stack<C>(input, sizes, random, config);
    return make_stack<C>(input, sizes, random, config);
  };
  if (settings.cell == "rnn") return make(std::type_identity<Rnn>());
  if (settings.cell == "lstm") return make(std::type_identity<Lstm>());
  if (settings.cell == "gru") return make(std::type_identity<Gru>());
  if (settings.cell == "sru") return make(std::type_identity<Sru>());
  if (settings.cell == "min-gru") return make(std::type_identity<MinGru>());
  if (settings.cell == "min-lstm") return make(std::type_identity<MinLstm>());
  throw Error("cell: there is no encoder of " + settings.cell);
}

std::size_t Encoder::width() const {
  return std::visit([](const auto& layers) { return layers.width(); }, layers_);
}

Var Encoder::operator()(const Var& words, std::span<const std::size_t> lengths,
                        Random* random) const {
  const bool last = pooling_ == "last";
  const auto [outputs, end] = std::visit(
      [&](const auto& layers) {
        const auto result =
            layers(words, {.lengths = lengths, .all_outputs = !last, .random = random});
        return std::pair(result.outputs, result.last());
      },
      layers_);  // [T, B, width], [B, width]
  if (last) return end;
  if (pooling_ == "mean") return mean_over_time(outputs, lengths);
  if (pooling_ == "max") return max_over_time(outputs, lengths);
  return (*attention_)(outputs, lengths).pooled;
}

}  // namespace sentiment
