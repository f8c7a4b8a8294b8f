// What must hold of every cell, whatever it computes.
#include "tested_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

// Row `row` of an array [.., batch, width] whose batch axis is `axis`, which stays.
Array row_of(const Array& array, std::ptrdiff_t axis, std::size_t row) {
  const auto at = static_cast<std::ptrdiff_t>(row);
  return slice(array, axis, at, at + 1).value();
}

// The rows in the order `order`.
Array rows_of(const Array& array, std::ptrdiff_t axis, const std::vector<std::size_t>& order) {
  std::vector<Var> rows;
  for (std::size_t row : order) rows.emplace_back(row_of(array, axis, row));
  return concat(rows, axis).value();
}

Problem rows_of(const Problem& p, const std::vector<std::size_t>& order) {
  Problem q{rows_of(p.x, 1, order), {}, {}, rows_of(p.d_outputs, 1, order), {}};
  for (std::size_t row : order)
    if (!p.lengths.empty()) q.lengths.push_back(p.lengths[row]);
  for (const Array& part : p.initial) q.initial.push_back(rows_of(part, 0, order));
  for (const Array& part : p.d_final) q.d_final.push_back(rows_of(part, 0, order));
  return q;
}

bool is_parameter(const std::string& name) { return name.find("_l0") != std::string::npos; }

// The answers row by row in the order `order`; those of parameters stay.
Answers rows_of(const Answers& answers, const std::vector<std::size_t>& order) {
  Answers moved = answers;
  for (auto& [name, array] : moved)
    if (!is_parameter(name)) array = rows_of(array, array.dimension() == 3 ? 1 : 0, order);
  return moved;
}

// Each row's elements in time [T, B, ..] from its end to its start; past the end they stay.
Array from_the_end(const Array& array, const Lengths& lengths) {
  Array reversed = array;
  const std::size_t steps = array.shape(0), batch = array.shape(1), width = array.shape(2);
  for (std::size_t row = 0; row < batch; ++row)
    for (std::size_t t = 0, n = lengths.empty() ? steps : lengths[row]; t < n; ++t)
      std::copy_n(&array(n - 1 - t, row, 0), width, &reversed(t, row, 0));
  return reversed;
}

template <class M>
struct IdentitiesTest : ::testing::Test {
  using State = typename M::Cell::State;
  static constexpr std::size_t kIn = 5, kHidden = 6;

  Recurrent<typename M::Cell> layer{M::make(kIn, kHidden)};

  static Problem problem(std::size_t steps, const Lengths& lengths) {
    return random_problem<State>(steps, lengths.size(), kIn, kHidden, lengths);
  }
  Answers answer(const Problem& p) { return answers_of(layer, p); }
};
TYPED_TEST_SUITE(IdentitiesTest, TestedCells, CellName);

TYPED_TEST(IdentitiesTest, SequenceOfOneStepIsTheCell) {
  const Problem p = this->problem(1, {1, 1, 1});
  const auto one_step = [&](const Var& x, const auto& state) {
    const auto next = cell_step(this->layer.cell, index(x, 0, 0), state);
    return std::pair(reshape(*state_parts(next)[0], {1, 3, -1}), next);
  };
  using State = typename TypeParam::Cell::State;
  expect_same_bits(this->answer(p), answers_of<State>(p, parameters(this->layer), one_step));
}

TYPED_TEST(IdentitiesTest, SequenceIsALoopOfSteps) {
  const Problem p = this->problem(9, {9, 9, 9, 9});
  const auto loop = [&](const Var& x, auto state) {
    std::vector<Var> outputs;
    for (std::ptrdiff_t t = 0; t < 9; ++t) {
      state = cell_step(this->layer.cell, index(x, 0, t), state);
      outputs.push_back(*state_parts(state)[0]);
    }
    return std::pair(stack(outputs, 0), state);
  };
  using State = typename TypeParam::Cell::State;
  expect_near(this->answer(p), answers_of<State>(p, parameters(this->layer), loop), kRounding);
}

// The long one has more rows than deferred weight gradients wait for.
TYPED_TEST(IdentitiesTest, SplitSequenceWithTheStateCarriedIsTheWhole) {
  using State = typename TypeParam::Cell::State;
  for (const auto& [steps, cut, lengths] :
       {std::tuple(std::size_t{9}, std::size_t{4}, Lengths{2, 9, 4, 6, 0}),
        std::tuple(std::size_t{300}, std::size_t{100}, Lengths(8, 300))}) {
    const Problem p = this->problem(steps, lengths);
    Lengths before, after;
    for (std::size_t length : lengths) {
      before.push_back(std::min(length, cut));
      after.push_back(length - before.back());
    }
    const auto in_two = [&, cut = static_cast<std::ptrdiff_t>(cut),
                         steps = static_cast<std::ptrdiff_t>(steps)](const Var& x,
                                                                     const State& state) {
      const auto a = this->layer(slice(x, 0, 0, cut), {.lengths = before, .state = state});
      const auto b = this->layer(slice(x, 0, cut, steps), {.lengths = after, .state = a.state});
      return std::pair(concat({a.outputs, b.outputs}, 0), b.state);
    };
    // Rounding grows with the steps that a gradient has come through.
    expect_near(this->answer(p), answers_of<State>(p, parameters(this->layer), in_two),
                steps < 10 ? kRounding : 4 * kRounding);
  }
}

// Of the batch, more rows than are projected together; x goes on past its longest row.
TYPED_TEST(IdentitiesTest, RowInABatchIsTheRowAlone) {
  const Problem p = this->problem(310, {300, 170, 0, 1, 299, 300});
  const Answers together = this->answer(p);
  Answers sum;
  for (std::size_t row = 0; row < 6; ++row) {
    const Answers alone = this->answer(rows_of(p, {row}));
    const Answers in_batch = rows_of(together, {row});
    for (const auto& [name, array] : alone) {
      if (is_parameter(name))
        sum[name] = sum.contains(name) ? Array(sum[name] + array) : array;
      else
        EXPECT_LE(relative_error(in_batch.at(name), array), kRounding) << name << ", row " << row;
    }
  }
  for (const auto& [name, array] : sum)
    EXPECT_LE(relative_error(together.at(name), array), kRounding) << name;
}

TYPED_TEST(IdentitiesTest, ReversedIsARunOnReversedRows) {
  using State = typename TypeParam::Cell::State;
  for (const Lengths& lengths : {Lengths{3, 7, 0, 1, 5}, Lengths{7, 7, 7}, Lengths{}, Lengths{0}})
    for (const bool all_outputs : {true, false})
      for (const bool checkpointed : {false, true}) {
        Problem p = this->problem(7, lengths);
        if (lengths.empty()) p = this->problem(7, Lengths(4, 7)), p.lengths = {};
        std::optional<Checkpointing> checkpoint;
        if (checkpointed) checkpoint = Checkpointing{.states = 1, .block = 2};
        if (!all_outputs) p.d_outputs.fill(0);
        const Array no_outputs = full_array(shape_of(p.d_outputs), 0);
        const auto run = [&](bool reversed) {
          return [&, reversed](const Var& x, const State& state) {
            const auto result = this->layer(x, {.lengths = p.lengths,
                                                .state = state,
                                                .all_outputs = all_outputs,
                                                .reversed = reversed,
                                                .checkpoint = checkpoint});
            return std::pair(all_outputs ? result.outputs : Var(no_outputs), result.state);
          };
        };
        const Answers actual = answers_of<State>(p, parameters(this->layer), run(true));
        p.x = from_the_end(p.x, p.lengths);
        p.d_outputs = from_the_end(p.d_outputs, p.lengths);
        Answers expected = answers_of<State>(p, parameters(this->layer), run(false));
        for (const char* name : {"outputs", "grad.x"})
          expected[name] = from_the_end(expected[name], p.lengths);
        expect_same_bits(actual, expected);
      }
}

TYPED_TEST(IdentitiesTest, ReversedWithoutATapeIsTheSameBits) {
  for (const Lengths& lengths : {Lengths{3, 300, 0}, Lengths{300, 300, 300}}) {
    const Problem p = this->problem(300, lengths);
    const auto run = [&] { return this->layer(Var(p.x), {.lengths = lengths, .reversed = true}); };
    const auto plain = run();
    const Tape tape;
    const auto taped = run();
    EXPECT_TRUE(same_bits(plain.outputs.value(), taped.outputs.value()));
    EXPECT_TRUE(same_bits(plain.last().value(), taped.last().value()));
  }
}

TYPED_TEST(IdentitiesTest, ReversedPaddingChangesNoBit) {
  const Lengths lengths{3, 7, 0, 1, 5};
  using State = typename TypeParam::Cell::State;
  Problem p = this->problem(7, lengths);
  const auto run = [&](const Var& x, const State& state) {
    const auto result = this->layer(x, {.lengths = lengths, .state = state, .reversed = true});
    return std::pair(result.outputs, result.state);
  };
  const auto answer = [&] { return answers_of<State>(p, parameters(this->layer), run); };
  const Answers expected = answer();
  for (std::size_t t = 0; t < 7; ++t)
    for (std::size_t row = 0; row < lengths.size(); ++row)
      for (std::size_t j = 0; t >= lengths[row] && j < this->kIn; ++j) {
        p.x(t, row, j) = p.d_outputs(t, row, j) = std::numeric_limits<real>::quiet_NaN();
        EXPECT_EQ(expected.at("outputs")(t, row, j), 0);
        EXPECT_EQ(expected.at("grad.x")(t, row, j), 0);
      }
  expect_same_bits(answer(), expected);
}

TYPED_TEST(IdentitiesTest, PaddingChangesNoBit) {
  const Lengths lengths{3, 7, 0, 1, 5};
  const Problem zeros = this->problem(7, lengths);
  const Answers expected = this->answer(zeros);
  for (const real rubbish : {std::numeric_limits<real>::quiet_NaN(),
                             std::numeric_limits<real>::infinity(), real(-1e30)}) {
    Problem p = zeros;
    for (std::size_t t = 0; t < 7; ++t)
      for (std::size_t row = 0; row < lengths.size(); ++row)
        for (std::size_t j = 0; t >= lengths[row] && j < this->kHidden; ++j) {
          p.d_outputs(t, row, j) = rubbish;
          if (j < this->kIn) p.x(t, row, j) = rubbish;
        }
    expect_same_bits(this->answer(p), expected);
  }
}

TYPED_TEST(IdentitiesTest, OutputsAndGradientsPastTheEndAreZero) {
  const Lengths lengths{3, 7, 0, 1, 5};
  const Answers answers = this->answer(this->problem(7, lengths));
  for (const char* name : {"outputs", "grad.x"})
    for (std::size_t row = 0; row < lengths.size(); ++row)
      for (std::size_t t = lengths[row]; t < 7; ++t)
        for (std::size_t j = 0; j < this->kIn; ++j)
          EXPECT_EQ(answers.at(name)(t, row, j), 0) << name << " " << t << " " << row;
}

// Sorted by length it is the same batch.
TYPED_TEST(IdentitiesTest, OrderOfRowsOfDifferentLengthsChangesNoBit) {
  const std::vector<std::size_t> order{4, 2, 0, 3, 1};
  const Problem p = this->problem(7, {3, 7, 0, 1, 5});
  expect_same_bits(this->answer(rows_of(p, order)), rows_of(this->answer(p), order));
}

TYPED_TEST(IdentitiesTest, OrderOfRowsOfEqualLengthsDoesNotMatter) {
  const std::vector<std::size_t> order{4, 2, 0, 3, 1};
  for (const Lengths& lengths : {Lengths{}, Lengths{3, 6, 6, 3, 6}}) {
    Problem p = this->problem(7, Lengths(5, 7));
    p.lengths = lengths;
    expect_near(this->answer(rows_of(p, order)), rows_of(this->answer(p), order), kRounding);
  }
}

TYPED_TEST(IdentitiesTest, GivenLengthsOfAllStepsAreNoLengths) {
  Problem p = this->problem(7, {7, 7, 7});
  const Answers given = this->answer(p);
  p.lengths = {};
  expect_same_bits(this->answer(p), given);
}

TYPED_TEST(IdentitiesTest, LengthZeroPassesStateAndGradientThrough) {
  for (const Lengths& lengths : {Lengths{2, 0, 3}, Lengths{0, 0, 0}}) {
    const Problem p = this->problem(3, lengths);
    const Answers answers = this->answer(p);
    for (std::size_t i = 0; i < p.initial.size(); ++i)
      for (std::size_t row = 0; row < 3; ++row) {
        if (lengths[row] > 0) continue;
        EXPECT_EQ(row_of(answers.at(part_name(i) + "_n"), 0, row), row_of(p.initial[i], 0, row));
        EXPECT_EQ(row_of(answers.at("grad." + part_name(i) + "0"), 0, row),
                  row_of(p.d_final[i], 0, row));
      }
  }
}

TYPED_TEST(IdentitiesTest, NoStepsAndNoRowsAreLegal) {
  const Problem p = this->problem(0, {0, 0, 0});
  const Answers answers = this->answer(p);
  EXPECT_EQ(answers.at("h_n"), p.initial[0]);
  EXPECT_EQ(answers.at("grad.h0"), p.d_final[0]);
  EXPECT_EQ(shape_of(answers.at("outputs")), (Shape{0, 3, this->kHidden}));
  EXPECT_EQ(shape_of(this->answer(this->problem(4, {})).at("outputs")),
            (Shape{4, 0, this->kHidden}));
}

TYPED_TEST(IdentitiesTest, NoInitialStateIsTheCellsOwn) {
  const Var x = random_array({7, 3, this->kIn}, 1);
  const Lengths lengths{3, 7, 1};
  const auto none = this->layer(x, {.lengths = lengths});
  const auto given =
      this->layer(x, {.lengths = lengths, .state = this->layer.cell.initial_state(3)});
  EXPECT_TRUE(same_bits(none.outputs.value(), given.outputs.value()));
}

TYPED_TEST(IdentitiesTest, LastIsTheOutputOfEachRowsLastStep) {
  const Lengths lengths{3, 7, 1};
  const auto result = this->layer(Var(random_array({7, 3, this->kIn}, 1)), {.lengths = lengths});
  for (std::size_t row = 0; row < 3; ++row)
    EXPECT_EQ(
        row_of(result.last().value(), 0, row),
        row_of(index(result.outputs, 0, static_cast<std::ptrdiff_t>(lengths[row]) - 1).value(), 0,
               row));
}

TYPED_TEST(IdentitiesTest, WithoutAllOutputsTheFinalStateIsTheSame) {
  using State = typename TypeParam::Cell::State;
  for (const Lengths& lengths : {Lengths{3, 7, 0}, Lengths{7, 7, 7}, Lengths{0, 0, 0}}) {
    Problem p = this->problem(7, lengths);
    p.d_outputs.fill(0);
    const Answers expected = this->answer(p);
    const auto final_only = [&](const Var& x, const State& state) {
      const auto result =
          this->layer(x, {.lengths = lengths, .state = state, .all_outputs = false});
      EXPECT_FALSE(result.outputs);
      return std::pair(Var(expected.at("outputs")), result.state);
    };
    expect_near(answers_of<State>(p, parameters(this->layer), final_only), expected, kRounding);
  }
}

TYPED_TEST(IdentitiesTest, WithoutATapeTheValuesAreTheSameBits) {
  for (const Lengths& lengths : {Lengths{3, 7, 0}, Lengths{7, 7, 7}}) {
    const Problem p = this->problem(7, lengths);
    const Answers taped = this->answer(p);
    const auto state = make_state<typename TypeParam::Cell::State>(
        std::vector<Var>(p.initial.begin(), p.initial.end()));
    const auto result = this->layer(Var(p.x), {.lengths = lengths, .state = state});
    EXPECT_TRUE(same_bits(result.outputs.value(), taped.at("outputs")));
    EXPECT_TRUE(same_bits(result.last().value(), taped.at("h_n")));
  }
}

TYPED_TEST(IdentitiesTest, OneVarMayBeAllPartsOfTheInitialState) {
  using State = typename TypeParam::Cell::State;
  Problem p = this->problem(5, {3, 5, 0, 1});
  const Array one = p.initial[p.initial.size() == 4 ? 2 : 0];  // a normaliser, if there is one
  for (Array& part : p.initial) part = one;
  Answers expected = this->answer(p);
  for (std::size_t i = 1; i < p.initial.size(); ++i)
    expected["grad.h0"] += expected["grad." + part_name(i) + "0"];
  const auto shared = [&](const Var& x, State state) {
    for (Var* part : state_parts(state)) *part = *state_parts(state)[0];
    const auto result = this->layer(x, {.lengths = p.lengths, .state = state});
    return std::pair(result.outputs, result.state);
  };
  const Answers actual = answers_of<State>(p, parameters(this->layer), shared);
  for (const auto& [name, array] : actual)
    if (is_parameter(name) || name == "outputs" || name == "grad.x" || name == "grad.h0")
      EXPECT_LE(relative_error(array, expected.at(name)), kRounding) << name;
}

TYPED_TEST(IdentitiesTest, DetachedStateCarriesItsValueToTheNextTape) {
  using State = typename TypeParam::Cell::State;
  const Problem p = this->problem(4, {4, 4});
  State state = this->layer.cell.initial_state(2);
  for (int window = 0; window < 3; ++window) {
    Tape tape;
    const auto result = this->layer(Var(p.x), {.state = state});
    tape.backward(sum(result.outputs));
    state = window < 2 ? detach(result.state) : result.state;
    const auto once_more = [&] { return this->layer(Var(p.x), {.state = state}); };
    EXPECT_NO_THROW(once_more());
  }
  EXPECT_THROW(this->layer(Var(p.x), {.state = state}), StaleError);
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
