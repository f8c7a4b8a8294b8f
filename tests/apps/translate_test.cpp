// reel-translate from the outside: what it prints, writes and refuses.
#include <reel/data/parallel.hpp>

#include <algorithm>

#include "app_test.hpp"

namespace {

using namespace reel::test;

class Translate : public AppTest {
 protected:
  Translate() : AppTest(REEL_TRANSLATE) {}
  void SetUp() override { write("pairs.tsv", pairs(true)); }

  // A language in which the adjective comes behind the noun. Without those to choose the epoch on,
  // of which there are too few, the last epoch is taken.
  static std::string pairs(bool all) {
    const char* nouns[][2] = {{"cat", "chat"},     {"dog", "chien"},  {"bird", "oiseau"},
                              {"fish", "poisson"}, {"boy", "garçon"}, {"king", "roi"}};
    const char* kinds[][2] = {{"red", "rouge"},  {"yellow", "jaune"}, {"fast", "rapide"},
                              {"calm", "calme"}, {"poor", "pauvre"},  {"sad", "triste"},
                              {"wise", "sage"},  {"thin", "mince"}};
    const char* verbs[][2] = {{"runs", "court"}, {"eats", "mange"},   {"sleeps", "dort"},
                              {"laughs", "rit"}, {"speaks", "parle"}, {"dances", "danse"}};
    std::string text;
    for (const auto& noun : nouns)
      for (const auto& kind : kinds)
        for (const auto& verb : verbs) {
          const std::string source = fmt::format("The {} {} {}.", kind[0], noun[0], verb[0]);
          const double share = reel::hash_share(source);
          if (all || share < 0.05 || share >= 0.07)
            text += fmt::format("{}\tLe {} {} {}.\n", source, noun[1], kind[1], verb[1]);
        }
    return text;
  }
  Outcome train(const std::string& more = "", int epochs = 12) const {
    return run(
        fmt::format("train --data pairs.tsv --model m --subwords 120 --embedding 16 "
                    "--hidden 24 --label-smoothing 0 --batch 8 --rate 0.01 --epochs {} {}",
                    epochs, more));
  }
};

TEST_F(Translate, LearnsTranslatesAndMeasures) {
  write("pairs.tsv", pairs(false));
  const Outcome trained = train("--dropout 0 --report page.html", 16);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(contains(trained.out, "epoch 16/16  loss ")) << trained.out;
  EXPECT_TRUE(contains(trained.out, "\nBLEU  greedy ")) << trained.out;
  EXPECT_EQ(trained.err, "");
  const std::string page = read("page.html");
  EXPECT_TRUE(contains(page, "Where it looked"));
  EXPECT_TRUE(contains(page, "<svg"));

  EXPECT_EQ(run("translate --model m 'The red dog runs.'").out, "Le chien rouge court.\n");
  const Outcome lines =
      run("translate --model m --beam 1", "The red dog runs.\n\nThe calm cat eats.");
  EXPECT_EQ(lines.out, "Le chien rouge court.\n\nLe chat calme mange.\n");
  const Outcome best = run("translate --model m --beam 4 --n-best 3 'The red dog runs.'");
  EXPECT_EQ(std::count(best.out.begin(), best.out.end(), '\n'), 3) << best.out;
  EXPECT_TRUE(contains(best.out, "\tLe chien rouge court.\n")) << best.out;
  const std::string drawn = "translate --model m --sample --temperature 5 'The red dog runs.'";
  EXPECT_EQ(run(drawn).out, run(drawn).out);
  EXPECT_NE(run(drawn).out, run(drawn + " --seed 2").out);

  const Outcome measured = run("eval --model m --data pairs.tsv --part all");
  EXPECT_TRUE(contains(measured.out, "all: 281 pairs")) << measured.out << measured.err;
  const std::size_t at = measured.out.find("greedy ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_GT(std::stod(measured.out.substr(at + 7)), 90) << measured.out;
}

TEST_F(Translate, GivesTheSameBitsForTheSameSeedOnAnyNumberOfThreads) {
  const std::string options = "--forced 0.7 --dropout 0.2 --attention additive ";
  const std::string first = without_rates(train(options + "--threads 1", 2).out);
  EXPECT_TRUE(contains(first, "dev BLEU")) << first;
  const std::string weights = read("m/weights.safetensors");
  EXPECT_EQ(without_rates(train(options + "--threads 2", 2).out), first);
  EXPECT_EQ(read("m/weights.safetensors"), weights);
  train(options + "--seed 2", 2);
  EXPECT_NE(read("m/weights.safetensors"), weights);
}

TEST_F(Translate, RefusesBadDataAndModels) {
  write("tab.tsv", "a\tb\nno tab\n");
  write("utf8.tsv", "a\t\xff\n");
  expect_refusal(run("train --data tab.tsv --model n"),
                 "tab.tsv:2: line must be source<TAB>target");
  expect_refusal(run("train --data utf8.tsv --model n"), "utf8.tsv:1");
  expect_refusal(run("train --data none.tsv --model n"), "none.tsv");
  EXPECT_FALSE(exists("n"));
  expect_refusal(run("translate --model nowhere a"), "nowhere/settings.json");

  ASSERT_EQ(train("", 1).code, 0);
  expect_refusal(run("eval --model m --data tab.tsv"), "tab.tsv:2");
  expect_refusal(run("translate --model m", "fine\n\xff\n"), "standard input:2");
  expect_refusal(run("translate --model m --beam 2 --top-p 0.5 '\xff'"), "argument");
  expect_checked_model("translate --model m a");
  const std::string tokens = read("m/target.json");
  write("m/target.json", "{\"characters\": [\"a\"], \"merges\": []}");
  expect_refusal(run("translate --model m a"), "weights.safetensors");
  write("m/target.json", "{}");
  expect_refusal(run("translate --model m a"), "target.json");
  write("m/target.json", tokens);
  write("m/settings.json", "{}");
  expect_refusal(run("translate --model m a"), "settings.json");
}

TEST_F(Translate, TellsHowItIsUsed) {
  EXPECT_EQ(run("train --model m --attention none").code, 2);
  EXPECT_EQ(run("translate a").code, 2);
  for (const char* command : {"", "train", "eval", "translate"})
    EXPECT_EQ(run(fmt::format("{} --help", command)).code, 0);
}

TEST_F(Translate, InterruptedItSavesAndGoesOn) {
  const std::string options =
      "train --data pairs.tsv --subwords 120 --embedding 16 --hidden 24 --batch 32 --epochs 12 ";
  ASSERT_EQ(run(options + "--model whole").code, 0);
  const Outcome stopped = interrupt(options + "--model m", "m/training.safetensors");
  EXPECT_EQ(stopped.code, 130);
  EXPECT_TRUE(contains(stopped.out, "--resume")) << stopped.out << stopped.err;
  ASSERT_EQ(run(options + "--model m --resume").code, 0);
  EXPECT_EQ(read("m/weights.safetensors"), read("whole/weights.safetensors"));
}

}  // namespace
