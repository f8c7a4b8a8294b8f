#include "any_layer.hpp"

#include <fmt/format.h>
#include "stack_of.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

// Cells that break a property, for tests of the properties.
struct Leaks : Rnn {
  using Rnn::Rnn;
  State step(Var x, const State& s) const {
    const Var h = step_of<Rnn>(*this, std::move(x), s).h;
    return {h + mean(h, {0}, true) / 10};
  }
};
struct LooksAhead : Rnn {
  using Rnn::Rnn;
  Var project(const Var& x) const {
    const auto rows = static_cast<std::ptrdiff_t>(x.size(0));
    return Rnn::project(concat({slice(x, 0, 1, rows), slice(x, 0, 0, 1)}, 0));
  }
};
struct HalvesItsGradient : Rnn {
  using Rnn::Rnn;
  State step(Var x, const State& s) const {
    const Var h = step_of<Rnn>(*this, std::move(x), s).h;
    return {(h + detach(h)) / 2};
  }
};
template <class C>
struct MakeBroken {
  using Cell = C;
  static C make(std::size_t in, std::size_t hidden, std::uint64_t seed) {
    Random random(seed);
    return C(in, hidden, random);
  }
};
struct MakeLeaks : MakeBroken<Leaks> {
  static constexpr const char* kName = "leaks";
};
struct MakeLooksAhead : MakeBroken<LooksAhead> {
  static constexpr const char* kName = "looks_ahead";
};
struct MakeHalvesItsGradient : MakeBroken<HalvesItsGradient> {
  static constexpr const char* kName = "halves_its_gradient";
};
using BrokenCells = ::testing::Types<MakeLeaks, MakeLooksAhead, MakeHalvesItsGradient>;

}  // namespace

Merge merge_of(Configuration::Merging merging) {
  switch (merging) {
    case Configuration::kConcat:
      return Merge::kConcat;
    case Configuration::kSum:
      return Merge::kSum;
    case Configuration::kMean:
      return Merge::kMean;
    case Configuration::kProduct:
      return Merge::kProduct;
    case Configuration::kFunction:
      break;
  }
  return Merge([](const Var& f, const Var& b) -> Var { return exp(f) + slice(b, -1, 0, 1); });
}

std::vector<std::string> cell_names() {
  std::vector<std::string> names;
  for (const auto& all : {makers(BuiltInCells()), makers_of_more_cells()})
    for (const Maker& maker : all) names.push_back(maker.name);
  return names;
}

std::unique_ptr<AnyLayer> make_layer(const Configuration& c) {
  for (const auto& all : {makers(BuiltInCells()), makers_of_more_cells(), makers(BrokenCells())})
    for (const Maker& maker : all)
      if (maker.name == c.cell) return maker.make(c);
  throw std::invalid_argument("no cell " + c.cell);
}

std::string Configuration::text() const {
  const auto numbers = [](const std::vector<std::size_t>& list) {
    return fmt::format("{{{}}}", fmt::join(list, ", "));
  };
  static constexpr const char* kMergings[] = {"kConcat", "kSum", "kMean", "kProduct", "kFunction"};
  return fmt::format(
      "{{.cell = \"{}\", .in = {}, .hidden = {}, .both_directions = {}, "
      ".merging = Configuration::{}, .residual = {}, .learned_start = {}, .steps = {}, "
      ".batch = {}, .lengths = {}, .batch_first = {}, .state_given = {}, .nan_padding = {}, "
      ".seed = {}}}",
      cell, in, numbers(hidden), both_directions, kMergings[merging], residual, learned_start,
      steps, batch, numbers(lengths), batch_first, state_given, nan_padding, seed);
}

bool Configuration::is_valid() const {
  if (in == 0 || hidden.empty() || batch == 0) return false;
  if (!lengths.empty() && lengths.size() != batch) return false;
  for (const std::size_t width : hidden)
    if (width == 0 || (residual && width != hidden[0])) return false;
  for (const std::size_t length : lengths)
    if (length > steps) return false;
  return both_directions || merging == kConcat;
}

std::vector<Configuration> Configuration::simpler() const {
  std::vector<Configuration> all;
  const auto add = [&](auto&& change) {
    Configuration c = *this;
    change(c);
    if (c.text() != text() && c.is_valid()) all.push_back(std::move(c));
  };
  const auto cut = [](Configuration& c, std::size_t steps) {
    c.steps = steps;
    for (std::size_t& length : c.lengths) length = std::min(length, steps);
  };
  add([](Configuration& c) { c.cell = Configuration().cell; });
  for (const bool from_front : {false, true})
    add([&](Configuration& c) {
      c.hidden.erase(from_front ? c.hidden.begin() : c.hidden.end() - 1);
    });
  add([](Configuration& c) { c.both_directions = false, c.merging = kConcat; });
  add([](Configuration& c) { c.merging = kConcat; });
  for (bool Configuration::*option :
       {&Configuration::residual, &Configuration::learned_start, &Configuration::batch_first,
        &Configuration::state_given, &Configuration::nan_padding})
    add([&](Configuration& c) { c.*option = false; });
  add([](Configuration& c) { c.lengths.clear(); });
  for (std::size_t row = 0; row < batch; ++row)
    add([&](Configuration& c) {
      --c.batch;
      if (!c.lengths.empty()) c.lengths.erase(c.lengths.begin() + static_cast<std::ptrdiff_t>(row));
    });
  add([&](Configuration& c) { cut(c, c.steps / 2); });
  if (steps > 0) add([&](Configuration& c) { cut(c, c.steps - 1); });
  for (std::size_t row = 0; row < lengths.size(); ++row)
    if (lengths[row] > 0)
      for (const std::size_t length : {std::size_t{0}, lengths[row] / 2, lengths[row] - 1})
        add([&](Configuration& c) { c.lengths[row] = length; });
  add([](Configuration& c) { c.in = 1; });
  add([](Configuration& c) { --c.in; });
  add([](Configuration& c) { c.hidden.assign(c.hidden.size(), 1); });
  add([](Configuration& c) {
    for (std::size_t& width : c.hidden) --width;
  });
  add([](Configuration& c) { c.seed = 1; });
  return all;
}

}  // namespace reel::inline REEL_PRECISION::layer_tests
