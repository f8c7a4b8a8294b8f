// A cell's answers compared with those of a golden file: see tests/goldens.
#pragma once

#include <reel/data/safetensors.hpp>
#include <reel/optim/weights.hpp>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {

// make(in, width) makes the cell that the file `name` in tests/goldens is about.
template <class Make>
void expect_golden_answers(const std::string& name, Make&& make) {
  using State = typename decltype(make(1, 1))::State;
  constexpr double kTolerance = kIsDouble ? 1e-10 : 1e-5;
  const NamedArrays golden =
      load_safetensors(fmt::format("{}/tests/goldens/{}.safetensors", REEL_SOURCE_DIR, name))
          .arrays;
  Problem p{golden.at("x"), {}, {}, golden.at("d_outputs"), {}};
  for (real length : golden.at("lengths").storage())
    p.lengths.push_back(static_cast<std::size_t>(length));
  for (std::size_t i = 0; i < kParts<State>; ++i) {
    p.initial.push_back(golden.at(part_name(i) + "0"));
    p.d_final.push_back(golden.at("d_" + part_name(i) + "_n"));
  }
  // The last part has the width of the gates.
  Recurrent layer(make(p.x.shape()[2], p.initial.back().shape()[1]));
  NamedArrays weights;
  for (const auto& [key, array] : golden)
    if (key.ends_with("_l0") && !key.starts_with("grad.")) weights[key] = array;
  import_weights(parameters(layer), weights, name);

  Answers answers = answers_of(layer, p);
  if (golden.contains("bias_hh_l0") && !answers.contains("grad.bias_hh_l0"))
    answers["grad.bias_hh_l0"] =
        answers.at("grad.bias_ih_l0");  // each of the two has that of the sum
  for (const auto& [key, array] : weights) EXPECT_TRUE(answers.contains("grad." + key)) << key;
  for (const auto& [key, answer] : answers)
    EXPECT_LE(relative_error(answer, golden.at(key)), kTolerance) << key;
}

}  // namespace reel::inline REEL_PRECISION::layer_tests
