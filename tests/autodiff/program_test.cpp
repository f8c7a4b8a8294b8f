// A program replays what a function of Vars computes, to the same bits, for other inputs.
#include <gtest/gtest.h>
#include <reel/autodiff/program.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/tape.hpp>

#include <cstring>
#include <thread>

#include "op_cases.hpp"
#include "throws.hpp"

namespace reel::testing {
namespace {

using Vars = std::vector<Var>;

Array numbers(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  return random_array(shape, random);
}

bool same_bits(const Array& a, const Array& b) {
  if (shape_of(a) != shape_of(b)) return false;
  return a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0;
}

void put(Program& program, const std::vector<Array>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    std::copy(inputs[i].begin(), inputs[i].end(), program.input(i).data);
}

// A program of `function` made with the first inputs gives for the others what a call gives.
void expect_replays(const std::function<Var(std::span<const Var>)>& function,
                    const std::vector<std::vector<Array>>& inputs) {
  Program program(inputs[0], [&](std::span<const Var> xs) { return Vars{function(xs)}; });
  for (int round = 0; round < 2; ++round)
    for (const std::vector<Array>& one : inputs) {
      put(program, one);
      program.run();
      const Vars xs(one.begin(), one.end());
      EXPECT_TRUE(same_bits(to_array(program.output(0)), function(xs).value()));
    }
}

// --- every op of the table ---

class ReplayedOps : public ::testing::TestWithParam<OpCase> {};

void expect_replays(const OpCase& op, const std::vector<Shape>& shapes) {
  expect_replays(op.function, {draw_inputs(op, shapes, 1), draw_inputs(op, shapes, 2)});
}

// What cannot be replayed says so.
bool is_refused(const OpCase& op) {
  if (op.declared != "dropout" && op.declared != "zoneout") return false;
  EXPECT_THROWS_WITH(expect_replays(op, op.shapes), Error, "must not draw random numbers");
  return true;
}

TEST_P(ReplayedOps, Values) {
  const OpCase& op = GetParam();
  if (is_refused(op)) return;
  expect_replays(op, op.shapes);
  if (!op.empty.empty()) expect_replays(op, op.empty);
  if (!op.ones.empty()) expect_replays(op, op.ones);
}

// As windows on other arrays, and with some inputs that do not vary.
TEST_P(ReplayedOps, StridedAndConstantInputs) {
  const OpCase& op = GetParam();
  if (is_refused(op)) return;
  std::vector<Shape> reversed = op.shapes;
  for (Shape& shape : reversed) std::reverse(shape.begin(), shape.end());
  OpCase strided = op;
  strided.function = [&](std::span<const Var> xs) {
    Vars windows;
    for (const Var& x : xs) {
      Axes axes;
      for (std::size_t i = x.dim(); i-- > 0;) axes.push_back(static_cast<std::ptrdiff_t>(i));
      windows.push_back(permute(x, axes));
    }
    return op.function(windows);
  };
  expect_replays(strided, reversed);
  const std::vector<Array> constants = draw_inputs(op, op.shapes, 3);
  for (std::size_t varying = 0; varying < op.shapes.size(); ++varying) {
    const auto one = [&](std::span<const Var> xs) {
      Vars all(constants.begin(), constants.end());
      all[varying] = xs[0];
      return op.function(all);
    };
    expect_replays(
        one, {{draw_inputs(op, op.shapes, 1)[varying]}, {draw_inputs(op, op.shapes, 2)[varying]}});
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, ReplayedOps, ::testing::ValuesIn(op_cases()),
                         [](const auto& row) { return row.param.name; });

TEST(Program, ElementwiseOpsBroadcastAsTheyDo) {
  for (const auto& [a, b] : std::initializer_list<std::pair<Shape, Shape>>{{{3, 5}, {5}},
                                                                           {{40, 3}, {40, 1}},
                                                                           {{2, 1, 4}, {3, 1}},
                                                                           {{5, 1, 19}, {5, 19}},
                                                                           {{7}, {}},
                                                                           {{33, 40}, {33, 1}}})
    expect_replays([](auto xs) { return tanh(xs[0]) * xs[1] + xs[1]; },
                   {{numbers(a, 1), numbers(b, 2)}, {numbers(a, 3), numbers(b, 4)}});
}

TEST(Program, ProductsOfAllSizesHaveTheSameBits) {
  for (const std::size_t rows : {1, 2, 3, 9})
    for (const std::size_t depth : {1, 2, 17, 600})
      for (const std::size_t columns : {1, 5, 16, 17, 31, 130, 257, 530}) {
        SCOPED_TRACE(fmt::format("{} x {} x {}", rows, depth, columns));
        const Parameter w(numbers({columns, depth}, 1)), b(numbers({columns}, 2));
        expect_replays(
            [&](auto xs) {
              return concat({affine(xs[0], w, b), affine(xs[0], w)}, 0);
            },
            {{numbers({rows, depth}, 3)}, {numbers({rows, depth}, 4)}});
      }
}

// --- feedback ---

TEST(Program, RefusesFeedbackThatNamesNoInput) {
  const std::vector<Array> start{numbers({2}, 1), numbers({2}, 2)};
  const auto make = [&](const std::vector<int>& feedback) {
    const auto exchanged = [](auto x) { return Vars{x[1], x[0]}; };
    return Program(start, exchanged, feedback);
  };
  const std::string rule = "program: feedback must name inputs below 2, each once, or -1; got ";
  EXPECT_THROWS_WITH(make({2}), Error, rule + "2");
  EXPECT_THROWS_WITH(make({-2}), Error, rule + "-2");
  EXPECT_THROWS_WITH(make({1, 1}), Error, rule + "1, 1");
  EXPECT_THROWS_WITH(make({0, 1, -1}), Error,
                     "program: feedback must name an input for each output at most; got 3 for 2");
  EXPECT_NO_THROW(make({-1, 0}));
}

Array run_and_read(Program& program) {
  program.run();
  return to_array(program.output(0));
}

TEST(Program, FedBackOutputsAreTheNextInputs) {
  const std::vector<Array> start{numbers({1, 6}, 1), numbers({1, 6}, 2)};
  const std::vector<std::function<Vars(std::span<const Var>)>> functions{
      [](auto x) {
        return Vars{x[1], x[0]};
      },  // exchanged
      [](auto x) {
        return Vars{x[0], x[0]};
      },  // one for both
      [](auto x) {
        return Vars{tanh(x[0] + x[1]), x[0] * x[1]};
      },  // both needed
      [](auto x) {
        return Vars{sin(x[0]), sin(x[1])};
      },  // in place
      [](auto x) {
        return Vars{flip(x[0], 1), concat({slice(x[1], 1, 3, 6), slice(x[0], 1, 0, 3)}, 1)};
      },
      [](auto x) {
        return Vars{reshape(permute(reshape(x[0], {2, 3}), {1, 0}), {1, 6}), cumsum(x[1], 1)};
      },
      [](auto x) {
        return Vars{zeros({1, 6}), x[0] + x[1]};
      },
      [](auto x) {
        const Var y = x[0] * x[1];
        return Vars{y, y};
      },
      [](auto x) {
        const Var y = x[0] + 1;
        return Vars{y, x[0] * y};
      },
  };
  for (std::size_t f = 0; f < functions.size(); ++f) {
    SCOPED_TRACE(f);
    Program program(start, functions[f], std::array{0, 1});
    Vars state(start.begin(), start.end());
    for (int step = 0; step < 4; ++step) {
      program.run();
      state = functions[f](state);
      for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_TRUE(same_bits(to_array(program.output(i)), state[i].value())) << step << " " << i;
        EXPECT_TRUE(same_bits(to_array(program.input(i)), state[i].value())) << step << " " << i;
      }
    }
  }
}

TEST(Program, AnOutputStaysWhileItsSourceIsFedBack) {
  const std::vector<Array> start{numbers({4}, 1)};
  Program program(
      start,
      [](auto x) {
        return Vars{x[0], x[0] * 2};
      },
      std::array{-1, 0});
  EXPECT_TRUE(same_bits(run_and_read(program), start[0]));
  EXPECT_TRUE(same_bits(run_and_read(program), Array(start[0] * 2)));
}

// --- what does not vary ---

TEST(Program, ComputesConstantsOnce) {
  const Parameter w(numbers({4, 4}, 1));
  const auto function = [&](auto xs) {
    return Vars{affine(xs[0], Var(w) / (1 + norm(w)), sum(w, {0}))};
  };
  Program program(std::array{numbers({1, 4}, 2)}, function);
  EXPECT_EQ(program.instructions(), 1u);
}

TEST(Program, NeedsNothingThatItWasMadeFrom) {
  const Array x = numbers({1, 4}, 2);
  auto w = std::make_unique<Parameter>(numbers({4, 4}, 1));
  const Array before = affine(Var(x), *w, index(Var(*w), 0, 1)).value();
  Program program(std::array{x}, [&](auto xs) {
    const Var fresh(Array(w->value()));
    return Vars{affine(xs[0], *w, index(fresh, 0, 1))};
  });
  w->mutable_value().fill(7);
  EXPECT_TRUE(same_bits(run_and_read(program), before));
  w.reset();
  EXPECT_TRUE(same_bits(run_and_read(program), before));
}

TEST(Program, CopiesGoOnByThemselves) {
  const auto step = [](auto x) { return Vars{sin(x[0]) + cumsum(x[0] * 3, 0)}; };
  const auto made = [&] { return Program(std::array{numbers({5}, 1)}, step, std::array{0}); };
  Program a = made();
  a.run();
  Program b = a;
  const Array next = run_and_read(a);
  a.run();
  EXPECT_TRUE(same_bits(run_and_read(b), next));
  b = a;
  EXPECT_TRUE(same_bits(run_and_read(b), run_and_read(a)));
  Program other = made();
  other = a;
  a = made();
  EXPECT_TRUE(same_bits(run_and_read(other), run_and_read(b)));
  Program moved = std::move(other);
  EXPECT_TRUE(same_bits(run_and_read(moved), run_and_read(b)));
}

TEST(ProgramThreads, CopiesRunAtTheSameTime) {
  const Parameter w(numbers({9, 9}, 1));
  Program program(
      std::array{numbers({1, 9}, 2)},
      [&](auto x) { return Vars{tanh(affine(x[0], w) * real(0.7))}; }, std::array{0});
  std::vector<Program> copies(4, program);
  std::vector<std::thread> threads;
  for (Program& copy : copies)
    threads.emplace_back([&copy] {
      Program own = copy;
      for (int i = 0; i < 100; ++i) own.run();
      copy = std::move(own);
    });
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 100; ++i) program.run();
  for (Program& copy : copies)
    EXPECT_TRUE(same_bits(to_array(copy.output(0)), to_array(program.output(0))));
}

// --- what is refused ---

void expect_refused(const std::function<Var(const Var&)>& function, const std::string& message) {
  const auto make = [&] {
    Program(std::array{numbers({2, 3}, 1)}, [&](auto xs) { return Vars{function(xs[0])}; });
  };
  EXPECT_THROWS_WITH(make(), Error, message);
  // And nothing stays behind.
  EXPECT_NO_THROW(function(Var(numbers({2, 3}, 1))));
}

TEST(Program, RefusesWhatAReplayWouldNotSee) {
  expect_refused([](const Var& x) { return x * sum(x).item(); },
                 "item: what is replayed must not read a number that depends on its inputs");
  expect_refused([](const Var& x) { return Var(Array(tanh(x).value() * 2)); },
                 "value: what is replayed must not read");
  expect_refused([](const Var& x) { return Var(tanh(x)).value()(0, 0) > 0 ? x : -x; },
                 "value: what is replayed must not read");
  expect_refused(
      [](const Var& x) {
        Random random(1);
        return dropout(x, real(0.5), random);
      },
      "program: what is replayed must not draw random numbers");
  expect_refused(
      [](const Var& x) {
        Tape tape;
        return x;
      },
      "tape: what is replayed must not open a tape");
  expect_refused(
      [](const Var& x) {
        Array y = empty_array(x.shape());
        std::copy_n(x.node().value.view.data, y.size(), y.data());
        return record("mine", std::array{x}, std::move(y), [](Pull&) {});
      },
      "mine: what is replayed must be computed by reel's ops");
}

TEST(Program, MayReadNumbersThatDoNotVary) {
  const Var constant(numbers({3}, 5));
  expect_replays(
      [&](auto xs) {
        const Var doubled = sum(constant * 2);
        return xs[0] * doubled.item() + detach(sum(constant)).item();
      },
      {{numbers({2}, 1)}});
}

TEST(Program, ChecksWhatIsFedBack) {
  const auto make = [] {
    Program(
        std::array{numbers({2, 3}, 1)}, [](auto xs) { return Vars{sum(xs[0])}; }, std::array{0});
  };
  EXPECT_THROWS_WITH(make(), ShapeError, "program: an output that is fed back must have the shape");
}

}  // namespace

// gtest prints parameters with this.
void PrintTo(const OpCase& op, std::ostream* out) { *out << op.name; }

}  // namespace reel::testing
