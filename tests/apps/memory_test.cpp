// reel-memory: the problems it sets, and the program from the outside.
#include "../../apps/memory/problems.hpp"

#include "app_test.hpp"

namespace {

using namespace reel::test;
using memory::Copy;

TEST(MemoryProblems, AddingMarksOneNumberInEachHalf) {
  reel::Random random(5);
  const memory::Adding batch = memory::make_adding(9, 50, random);
  ASSERT_EQ(reel::shape_of(batch.x), (reel::Shape{9, 50, 2}));
  for (std::size_t row = 0; row < 50; ++row) {
    double first = 0, second = 0, sum = 0;
    for (std::size_t t = 0; t < 9; ++t) {
      (t < 4 ? first : second) += batch.x(t, row, 1);
      sum += batch.x(t, row, 0) * batch.x(t, row, 1);
    }
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 1);
    EXPECT_FLOAT_EQ(static_cast<float>(batch.y(row, 0)), static_cast<float>(sum));
  }
  EXPECT_EQ(error_of([&] { memory::make_adding(1, 2, random); }),
            "adding problem: there must be two steps; got 1");
}

TEST(MemoryProblems, CopyAsksForWhatWasShown) {
  reel::Random random(5);
  constexpr std::size_t kDelay = 4, kSteps = kDelay + 2 * Copy::kItems + 1;
  const Copy batch = memory::make_copy(kDelay, 20, random);
  ASSERT_EQ(reel::shape_of(batch.x), (reel::Shape{kSteps, 20, Copy::kClasses}));
  for (std::size_t row = 0; row < 20; ++row)
    for (std::size_t t = 0; t < kSteps; ++t) {
      double ones = 0;
      for (std::size_t c = 0; c < Copy::kClasses; ++c) ones += batch.x(t, row, c);
      EXPECT_EQ(ones, 1);
      EXPECT_EQ(batch.x(t, row, Copy::kSymbols + 1), t == Copy::kItems + kDelay);  // the sign
      const auto say = static_cast<std::size_t>(batch.y(t, row));
      if (t < kSteps - Copy::kItems)
        EXPECT_EQ(say, Copy::kSymbols);
      else
        EXPECT_EQ(batch.x(t + Copy::kItems - kSteps, row, say), 1);
    }
}

class Memory : public AppTest {
 protected:
  Memory() : AppTest(REEL_MEMORY) {}
  double factor(const std::string& arguments) const {
    const Outcome outcome = run("gradients --steps 50 " + arguments);
    const std::string name = "factor per step\t";
    const std::size_t at = outcome.out.find(name);
    return at == outcome.out.npos ? -1 : std::stod(outcome.out.substr(at + name.size()));
  }
};

TEST_F(Memory, GradientsFollowTheTheory) {
  for (const double radius : {0.8, 1.0, 1.1})
    EXPECT_NEAR(factor(fmt::format("--cell rnn --inputs 0.0001 --radius {}", radius)), radius,
                1e-3);
  // At the origin, c' = c / 2 + W_g c / 4 with an orthogonal W_g.
  const double half_closed = factor("--cell lstm --inputs 0 --forget-bias 0");
  EXPECT_GT(half_closed, 0.5);
  EXPECT_LT(half_closed, 0.75);
  EXPECT_GT(factor("--cell lstm --inputs 0 --forget-bias 5"), 0.99);
  EXPECT_GT(factor("--cell gru --inputs 0 --forget-bias 5"), 0.98);
}

TEST_F(Memory, SolvesShortProblemsTheSameWayEachTime) {
  const Outcome one = run("adding --cell gru --length 10 --steps 500 --threads 1");
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_TRUE(contains(one.out, "\nsolved after ")) << one.out;
  EXPECT_EQ(run("adding --cell gru --length 10 --steps 500 --threads 2").out, one.out);
  const Outcome copy = run("copy --cell gru --length 2 --steps 1500");
  EXPECT_TRUE(contains(copy.out, "\nsolved after ")) << copy.out;
  EXPECT_TRUE(contains(run("adding --cell rnn --length 60 --steps 100").out,
                       "\nnot solved after 100 steps"));
}

TEST_F(Memory, WritesAPage) {
  const Outcome outcome = run("train --report page.html --lengths 6 --delays 2 --steps 20");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const std::string page = read("page.html");
  for (const char* part :
       {"falls or grows geometrically", "The copy problem", "rnn, uniform start"})
    EXPECT_TRUE(contains(page, part)) << part;
  expect_refusal(run("train --report nowhere/page.html --steps 1"), "there must be a folder");
}

TEST_F(Memory, GoesOnWhereItWasInterrupted) {
  const std::string more = " --lengths 6 --delays 2 --steps 80 ";
  const Outcome whole = run("train --report a.html" + more);
  ASSERT_EQ(whole.code, 0) << whole.err;
  const Outcome stopped = interrupt("train --report b.html" + more, "b.html.outcomes.json");
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_TRUE(contains(stopped.out, "the same command with --resume goes on after "))
      << stopped.out;
  EXPECT_NE(read("b.html"), read("a.html"));
  EXPECT_EQ(run("train --resume --report b.html" + more).code, 0);
  EXPECT_EQ(read("b.html"), read("a.html"));
  expect_refusal(run("train --resume --report b.html" + more), "b.html.outcomes.json");
  write("b.html.outcomes.json", "[1]");
  expect_refusal(run("train --resume --report b.html" + more), "these are no outcomes");
  const Outcome anew = run("train --report b.html" + more);
  EXPECT_TRUE(contains(anew.out, "now b.html.outcomes.old.json")) << anew.out;
  EXPECT_EQ(read("b.html.outcomes.old.json"), "[1]");
}

TEST_F(Memory, ExplainsItselfAndRefusesNonsense) {
  EXPECT_EQ(run("--help").code, 0);
  EXPECT_TRUE(contains(run("adding --help").out, "--chrono"));
  EXPECT_EQ(run("").code, 2);
  EXPECT_EQ(run("adding --cell nonsense").code, 2);
  EXPECT_EQ(run("adding --length 1").code, 2);
  EXPECT_EQ(run("adding --forget-bias 1 --chrono 10").code, 2);
}

}  // namespace
