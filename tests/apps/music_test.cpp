// reel-music from the outside: what it prints, writes and refuses.
#include <algorithm>
#include <cmath>

#include "app_test.hpp"

namespace {

using namespace reel::test;

class Music : public AppTest {
 protected:
  Music() : AppTest(REEL_MUSIC) {}
  void SetUp() override {
    write("rolls.json", fmt::format(R"({{"train": [{}], "valid": [{}], "test": [{}]}})", pieces(8),
                                    pieces(2), pieces(2)));
  }
  // Two chords in turn: only which comes first cannot be known, 5 ln 2 nats in 12 steps.
  static std::string pieces(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += i == 0 ? "[" : ", [";
      for (int step = 0; step < 12; ++step)
        text += (step == 0 ? "" : ", ") + std::string((i + step) % 2 ? "[60, 64, 67]" : "[59, 65]");
      text += "]";
    }
    return text;
  }
  Outcome train(const std::string& more = "--model m") {
    return run(
        "train --data rolls.json --hidden 16 --epochs 30 --dropout 0 --transpose 0 --batch 1 "
        "--rate 0.02 " +
        more);
  }
};

// Of a line such as "test: 2 pieces  nll 1.2345 per step".
double number_after(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name);
  return at == text.npos ? NAN : std::stod(text.substr(at + name.size()));
}

TEST_F(Music, LearnsMeasuresAndMakesMusic) {
  for (const char* cell : {"lstm", "gru"}) {
    const Outcome trained = train(fmt::format("--model m --cell {}", cell));
    ASSERT_EQ(trained.code, 0) << trained.err;
    EXPECT_TRUE(contains(trained.out, "epoch 30/30  loss ")) << trained.out;
    EXPECT_EQ(trained.err, "");  // progress is for terminals

    const Outcome measured = run("eval --model m --data rolls.json");
    const double nll = number_after(measured.out, "nll ");
    EXPECT_LT(nll, 0.5) << measured.out;
    EXPECT_LT(nll, number_after(measured.out, "by each key's share, ")) << measured.out;
    EXPECT_TRUE(contains(run("eval --model m --data rolls.json --part valid").out, "valid: 2 "));

    const std::string generate = "generate --model m --data rolls.json --prime 4 --steps 9 ";
    EXPECT_EQ(run(generate + "--temperature 0.1 --out a.mid").out, "13 steps written to a.mid\n");
    run(generate + "--temperature 0.1 --out b.mid");
    run(generate + "--temperature 5 --out c.mid");
    const std::string midi = read("a.mid");
    EXPECT_EQ(midi.substr(0, 14), std::string("MThd\0\0\0\6\0\0\0\1\x01\xe0", 14));
    EXPECT_EQ(read("b.mid"), midi);
    EXPECT_NE(read("c.mid"), midi);
    // The two chords in turn go on: 59 is struck and let go in every other step.
    EXPECT_EQ(std::count(midi.begin(), midi.end(), 59), 2 * 7);
  }
}

TEST_F(Music, GivesTheSameBitsForTheSameSeedOnAnyNumberOfThreads) {
  const std::string first = without_rates(train("--model m --threads 1").out, "steps");
  const std::string weights = read("m/weights.safetensors");
  EXPECT_EQ(without_rates(train("--model m --threads 2").out, "steps"), first);
  EXPECT_EQ(read("m/weights.safetensors"), weights);
  train("--model m --seed 2");
  EXPECT_NE(read("m/weights.safetensors"), weights);
}

TEST_F(Music, GoesOnAfterCtrlC) {
  const std::string command = "train --data rolls.json --hidden 48 --epochs 150 --batch 1 --model ";
  const Outcome outcome = interrupt(command + "m", "m/training.safetensors");
  EXPECT_EQ(outcome.code, 130);
  EXPECT_TRUE(contains(outcome.out, "--resume")) << outcome.out << outcome.err;
  EXPECT_EQ(run(command + "m --resume").code, 0);
  EXPECT_EQ(run(command + "whole").code, 0);
  EXPECT_EQ(read("m/weights.safetensors"), read("whole/weights.safetensors"));
}

TEST_F(Music, RefusesBadInput) {
  write("bad.json", R"({"train": [[[60]]],)"
                    "\n"
                    R"( "valid": [[[60]]], "test": [[[600]]]})");
  expect_refusal(run("train --model m --data bad.json"),
                 "bad.json: test, piece 1, step 1: a pitch must lie in 21 .. 108");
  write("bad.json", "{\n\n!}");
  expect_refusal(run("train --model m --data bad.json"), "bad.json:3: text must be JSON");
  expect_refusal(run("train --model m --data none.json"), "none.json");
  expect_refusal(run("eval --model m --data rolls.json"), "m/settings.json");
  EXPECT_FALSE(exists("m"));

  ASSERT_EQ(train().code, 0);
  expect_refusal(run("generate --model m --out a.mid --data rolls.json --piece 3"),
                 "rolls.json: test has 2 pieces; found no 3");
  expect_checked_model("eval --model m --data rolls.json");
  const std::string settings = read("m/settings.json");
  write("m/settings.json", "{}");
  expect_refusal(run("eval --model m --data rolls.json"), "m/settings.json");
  write("m/settings.json", settings);
  write("m/weights.safetensors", "none");
  expect_refusal(run("eval --model m --data rolls.json"), "m/weights.safetensors");
}

TEST_F(Music, TellsHowItIsUsed) {
  EXPECT_EQ(run("").code, 2);
  EXPECT_EQ(run("train --model m").code, 2);
  EXPECT_EQ(run("train --model m --data rolls.json --cell sru").code, 2);
  for (const char* command : {"", "train", "eval", "generate"})
    EXPECT_EQ(run(fmt::format("{} --help", command)).code, 0);
}

}  // namespace
