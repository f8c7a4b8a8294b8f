// reel-names from the outside: what it prints, writes and refuses.
#include "app_test.hpp"

namespace {

using namespace reel::test;

class NamesApp : public AppTest {
 protected:
  NamesApp() : AppTest(REEL_NAMES) {
    std::string one, other;
    for (const char a : std::string("abcdefghij"))
      for (const char b : std::string("aeiou")) {
        one += fmt::format("{}{}ko\n", a, b);
        other += fmt::format("{}{}ner\n", a, b);
      }
    write("Ko.txt", one + "ako\nako\n");
    write("Ner.txt", other);
  }
  Outcome train(const std::string& more) const {
    return run(
        "train --data Ko.txt Ner.txt --model m --embedding 8 --hidden 16 --batch 8 --rate 0.02 "
        "--dropout 0.1 " +
        std::string(contains(more, "--epochs") ? "" : "--epochs 12 ") + more);
  }
};

TEST_F(NamesApp, WritesNamesOfALanguage) {
  const Outcome trained = train("--task generate --report page.html");
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(contains(trained.out, "2 languages")) << trained.out;
  EXPECT_TRUE(contains(trained.out, "held out: ")) << trained.out;
  EXPECT_TRUE(contains(trained.out, "nats per letter; 5-grams ")) << trained.out;
  EXPECT_TRUE(contains(read("page.html"), "Names it writes"));
  EXPECT_EQ(trained.err, "");

  const Outcome best = run("generate --model m --language Ner --decoder beam --count 3");
  ASSERT_EQ(best.code, 0) << best.err;
  EXPECT_EQ(std::count(best.out.begin(), best.out.end(), '\n'), 3);
  EXPECT_EQ(best.out.substr(0, 4), "Ner\t");
  EXPECT_TRUE(contains(best.out, "ner\n")) << best.out;
  const Outcome greedy = run("generate --model m --decoder greedy --prompt ba");
  EXPECT_EQ(greedy.out, "Ko\tbako\nNer\tbaner\n");
  const std::string sample = "generate --model m --language Ko --temperature 0.8 --seed ";
  EXPECT_EQ(run(sample + "1").out, run(sample + "1").out);
  EXPECT_NE(run(sample + "1").out, run(sample + "2").out);
  EXPECT_TRUE(contains(run("eval --model m --data Ko.txt Ner.txt").out, "101 names  "));
}

TEST_F(NamesApp, TellsTheLanguageOfAName) {
  const Outcome trained = train("--task classify");
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(contains(trained.out, "held out: accuracy 1.0000; 5-grams accuracy ")) << trained.out;
  EXPECT_TRUE(contains(trained.out, "majority 0.5")) << trained.out;
  const Outcome told = run("classify --model m", "fuko\nmaner\n");
  EXPECT_EQ(told.out.substr(0, 3), "Ko\t") << told.out << told.err;
  EXPECT_TRUE(contains(told.out, "\nNer\t")) << told.out;
  EXPECT_EQ(run("classify --model m fuko maner").out, told.out);
  EXPECT_TRUE(contains(run("eval --model m --data Ko.txt Ner.txt").out, "accuracy"));
}

TEST_F(NamesApp, GivesTheSameBitsForTheSameSeedOnAnyNumberOfThreads) {
  for (const char* task : {"generate", "classify"}) {
    const std::string what = fmt::format("--task {} --threads ", task);
    const std::string one = without_rates(train(what + "1").out, "letters");
    const std::string weights = read("m/weights.safetensors");
    EXPECT_EQ(without_rates(train(what + "2").out, "letters"), one);
    EXPECT_EQ(read("m/weights.safetensors"), weights);
  }
}

TEST_F(NamesApp, SavesWhatItLearnedWhenInterrupted) {
  const std::string command = "train --data Ko.txt Ner.txt --model m --epochs 10000";
  const Outcome stopped = interrupt(command, "m/training.safetensors");
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_TRUE(contains(stopped.out, "--resume")) << stopped.out;
  EXPECT_EQ(run("generate --model m --count 1").code, 0);
}

TEST_F(NamesApp, RefusesBadInput) {
  write("blank.txt", "a\n\nb\n");
  write("utf8.txt", "a\n\xff\n");
  expect_refusal(run("train --data missing.txt --model m"), "missing.txt");
  expect_refusal(run("train --data blank.txt --model m"), "blank.txt:2");
  expect_refusal(run("train --data utf8.txt --model m"), "utf8.txt:2");
  expect_refusal(run("generate --model nowhere"), "nowhere/settings.json");
  EXPECT_FALSE(exists("m"));
  ASSERT_EQ(train("--epochs 1").code, 0);
  expect_refusal(run("generate --model m --language Latin"), "must be one of Ko, Ner; got Latin");
  expect_refusal(run("classify --model m ako"), "--task classify");
  expect_refusal(run("eval --model m --data blank.txt utf8.txt"), "blank.txt");
  expect_checked_model("generate --model m --count 1");
  write("m/letters.json", "[\"<pad>\", \"<unk>\", \"other\"]");
  expect_refusal(run("generate --model m"), "letters.json");
}

TEST_F(NamesApp, TellsHowItIsUsed) {
  EXPECT_EQ(run("train --model m --task sing").code, 2);
  EXPECT_EQ(run("").code, 2);
  for (const char* command : {"", "train", "eval", "generate", "classify"})
    EXPECT_EQ(run(fmt::format("{} --help", command)).code, 0);
}

}  // namespace
