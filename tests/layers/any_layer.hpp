// Layers of any configuration behind one type, for properties that hold of all of them.
#pragma once

#include <reel/layers/cell_answers.hpp>

#include <memory>

namespace reel::inline REEL_PRECISION::layer_tests {

// Prints as an initialiser, so that one that failed can be pasted into a test.
struct Configuration {
  enum Merging { kConcat, kSum, kMean, kProduct, kFunction };

  std::string cell = "rnn_tanh";
  std::size_t in = 1;
  std::vector<std::size_t> hidden{1};  // of each layer
  bool both_directions = false;
  Merging merging = kConcat;
  bool residual = false;
  bool learned_start = false;
  std::size_t steps = 1;
  std::size_t batch = 1;
  std::vector<std::size_t> lengths = {};  // none: all `steps`
  bool batch_first = false;
  bool state_given = false;
  bool nan_padding = false;  // else numbers
  std::uint64_t seed = 1;

  std::string text() const;
  bool is_valid() const;
  // Configurations that are simpler by one thing.
  std::vector<Configuration> simpler() const;
};

class AnyLayer {
 public:
  struct Call {
    std::vector<std::size_t> lengths = {};
    detail::Vars state = {};  // parts; none: the layer's own
    bool reversed = false, batch_first = false;
    std::optional<Checkpointing> checkpoint = {};
  };

  virtual ~AnyLayer() = default;
  virtual detail::LayerRun run(const Var& x, const Call& call) const = 0;
  // The same, by each layer of the stack on its own; final states in the same order.
  virtual detail::LayerRun run_by_layer(const Var& x, const Call& call) const = 0;
  virtual bool can_stream() const = 0;
  virtual detail::LayerRun stream(const Var& x, const detail::Vars& state) const = 0;
  virtual detail::Vars initial_state(std::size_t batch) const = 0;
  virtual std::size_t width() const = 0;

  std::vector<detail::NamedParameter> parameters;
};

// Of the built-in cells; a configuration may also have "leaks" (between rows), "looks_ahead" or
// "halves_its_gradient".
std::vector<std::string> cell_names();
std::unique_ptr<AnyLayer> make_layer(const Configuration& configuration);

}  // namespace reel::inline REEL_PRECISION::layer_tests
