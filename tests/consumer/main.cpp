// A program of somebody else's, built against the installed library: trains a small model.
#include <fmt/format.h>
#include <reel/reel.hpp>

using namespace reel;

// [model]
struct Model {
  Recurrent<Lstm> lstm;
  Linear head;

  Var operator()(const Var& x, std::span<const std::size_t> lengths) const {
    return head(lstm(x, {.lengths = lengths}).last());  // x [T, B, in] -> [B, out]
  }
  static void fields(auto& self, auto&& visit) {
    visit("lstm", self.lstm);
    visit("head", self.head);
  }
};
// [/model]

int main() {
  Random random(1);
  Model model{Recurrent(Lstm(8, 32, random)), Linear(32, 1, random)};
  Adam optimizer(parameters(model), {.learning_rate = 0.01});
  const Array x = normal({5, 4, 8}, 1, random), y = normal({4, 1}, 1, random);
  const std::size_t lengths[] = {3, 5, 0, 1};

  real first = 0, last = 0;
  for (int step = 0; step < 50; ++step) {
    Tape tape;
    const Var loss = mse(model(x, lengths), y);
    tape.backward(loss);
    optimizer.step();
    last = loss.item();
    if (step == 0) first = last;
  }
  save_weights("model.safetensors", parameters(model));
  fmt::print("real has {} bytes; loss {} -> {}\n", sizeof(real), first, last);
  return last < first / 4 ? 0 : 1;
}
