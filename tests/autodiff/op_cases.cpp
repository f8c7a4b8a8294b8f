#include "op_cases.hpp"

namespace reel::testing {

std::vector<OpCase> op_cases() {
  std::vector<OpCase> all;
  for (const auto& part :
       {elementwise_cases(), product_cases(), shaping_cases(), reduction_cases(), loss_cases()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

namespace {

bool near_kink(const OpCase& op, double x) {
  for (double kink : op.kinks)
    if (std::abs(x - kink) < 0.15) return true;
  return false;
}

}  // namespace

std::vector<Array> draw_inputs(const OpCase& op, const std::vector<Shape>& shapes,
                               std::uint64_t seed) {
  Random random(seed);
  std::size_t count = 0;
  for (const Shape& shape : shapes) count += element_count(shape);
  std::vector<double> values;
  while (values.size() < count) {
    const double place =
        op.distinct ? (double(values.size()) + 0.5) / double(count) : random.uniform();
    const double x = op.low + (op.high - op.low) * place;
    if (!near_kink(op, x)) values.push_back(x);
  }
  if (op.distinct) random.shuffle(values);
  std::vector<Array> inputs;
  for (const Shape& shape : shapes) {
    inputs.push_back(empty_array(shape));
    for (real& x : inputs.back().storage()) {
      x = static_cast<real>(values.back());
      values.pop_back();
    }
  }
  return inputs;
}

}  // namespace reel::testing
