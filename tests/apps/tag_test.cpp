// reel-tag: how it cuts text, and the program from the outside.
#include "../../apps/tag/words.hpp"
#include "app_test.hpp"

namespace {

using namespace reel::test;
using Words = std::vector<std::string>;

TEST(TagWords, AreCutAsTreebanksDo) {
  EXPECT_EQ(tag::split_words("He doesn't know; they're  JOHN'S..."),
            (Words{"He", "does", "n't", "know", ";", "they", "'re", "JOHN", "'S", "..."}));
  EXPECT_EQ(tag::split_words("1,000.50, 3. a-b (see me@x.org, http://x.org/?a=b)"),
            (Words{"1,000.50", ",", "3", ".", "a", "-", "b", "(", "see", "me@x.org,",
                   "http://x.org/?a=b)"}));
  EXPECT_EQ(tag::split_words("n't 's -- !?"), (Words{"n't", "'", "s", "--", "!", "?"}));
  EXPECT_EQ(tag::split_words("The U.S. and (J.R.R) I."),
            (Words{"The", "U.S.", "and", "(", "J.R.R", ")", "I", "."}));
  EXPECT_EQ(tag::split_words(" \t"), Words{});
  EXPECT_EQ(tag::split_at_spaces("  a\tb,c  d\r"), (Words{"a", "b,c", "d"}));
}

class Tag : public AppTest {
 protected:
  Tag() : AppTest(REEL_TAG) {}
  void SetUp() override { write("train.conllu", examples(40)); }

  // A verb ends in s; a noun follows the; can is either.
  static std::string examples(int count) {
    const char* nouns[] = {"dog", "cat", "can"};
    const char* verbs[] = {"sees", "likes", "cans"};
    std::string text;
    for (int i = 0; i < count; ++i)
      text += fmt::format(
          "# sentence "
          "{0}\n1\tThe\tthe\tDET\tDT\t_\t_\t_\t_\t_\n2\t{1}\t_\tNOUN\tNN\t_\t_\t_\t_\t_\n"
          "3\t{2}\t_\tVERB\tVBZ\t_\t_\t_\t_\t_\n4\t.\t_\tPUNCT\t.\t_\t_\t_\t_\t_\n\n",
          i, nouns[i % 3], verbs[i / 3 % 3]);
    return text;
  }
  Outcome train(const std::string& more = "", const std::string& data = "train.conllu") {
    return run(
        fmt::format("train --data {} --model m --embedding 8 --character 6 "
                    "--composed 8 --hidden 8 --epochs 8 --batch 8 --rate 0.03 {}",
                    data, more));
  }
};

TEST_F(Tag, LearnsSavesMeasuresAndTags) {
  for (const char* options : {"", "--crf", "--characters convolution --layers 2 --column xpos",
                              "--characters none --shape 0 --crf"}) {
    SCOPED_TRACE(options);
    const Outcome trained = train(std::string(options) + " --dev train.conllu");
    ASSERT_EQ(trained.code, 0) << trained.err;
    EXPECT_TRUE(contains(trained.out, "epoch 8/8  loss ")) << trained.out;
    EXPECT_TRUE(contains(trained.out, "most frequent tag of each word: dev accuracy 1.0000"));
    EXPECT_EQ(trained.err, "");

    const Outcome measured = run("eval --model m --data train.conllu");
    EXPECT_TRUE(contains(measured.out, "160 words  accuracy 1.0000")) << measured.out;
    EXPECT_TRUE(contains(measured.out, "most frequent tag of each word: accuracy 1.0000"));

    const bool xpos = contains(options, "xpos");
    const std::string expected = xpos ? "The\tDT\ncat\tNN\nlikes\tVBZ\n.\t.\n\n"
                                      : "The\tDET\ncat\tNOUN\nlikes\tVERB\n.\tPUNCT\n\n";
    EXPECT_EQ(run("tag --model m", "The cat likes.\n\n").out, expected);
    EXPECT_EQ(run("tag --model m --input words", "The cat likes .").out, expected);
  }
}

TEST_F(Tag, ConlluGoesThrough) {
  ASSERT_EQ(train().code, 0);
  std::string bare = examples(3);
  for (const char* tag : {"DET", "NOUN", "VERB", "PUNCT"})
    for (std::size_t at; (at = bare.find(fmt::format("\t{}\t", tag))) != bare.npos;)
      bare.replace(at + 1, std::string(tag).size(), "_");
  EXPECT_EQ(run("tag --model m --input conllu --output conllu", bare).out, examples(3));
  const Outcome made = run("tag --model m --output conllu", "The cat\n");
  EXPECT_EQ(made.out, "1\tThe\t_\tDET\t_\t_\t_\t_\t_\t_\n2\tcat\t_\tNOUN\t_\t_\t_\t_\t_\t_\n\n");
}

TEST_F(Tag, LearnsFromTheBundledTreebank) {
  const std::string tiny =
      "--embedding 2 --shape 2 --character 2 --composed 2 --hidden 2 --epochs 1 --batch 64";
  const Outcome trained = run("train --model m --report page.html " + tiny);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(contains(trained.out, "1394 sentences to learn from, 251 to choose")) << trained.out;
  EXPECT_TRUE(contains(run("eval --model m").out, "3060 words")) << trained.out;
  EXPECT_TRUE(contains(read("page.html"), "most frequent tag of each word"));
}

TEST_F(Tag, GivesTheSameBitsForTheSameSeedOnAnyNumberOfThreads) {
  const std::string first = without_rates(train("--seed 7 --threads 1").out, "words");
  const std::string weights = read("m/weights.safetensors");
  EXPECT_EQ(without_rates(train("--seed 7 --threads 3").out, "words"), first);
  EXPECT_EQ(read("m/weights.safetensors"), weights);
  train("--seed 8");
  EXPECT_NE(read("m/weights.safetensors"), weights);
}

TEST_F(Tag, SavesWhatItLearnedWhenInterrupted) {
  const std::string long_run =
      "train --data train.conllu --dev train.conllu --crf --model n --embedding 8 --shape 4 "
      "--character 6 --composed 8 --hidden 8 --batch 8 --rate 0.03 --epochs 100000";
  const Outcome outcome = interrupt(long_run, "n/training.safetensors");
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "--resume goes on from epoch ")) << outcome.out;
  EXPECT_EQ(run("tag --model n", "The cat\n").code, 0);
  expect_refusal(run("train --data train.conllu --model o --resume"), "o/training.safetensors");
}

TEST_F(Tag, RefusesBadDataAndModels) {
  write("short.conllu", "1\tThe\n");
  write("bare.conllu", "1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n2\tb\t_\t_\t_\t_\t_\t_\t_\t_\n\n");
  expect_refusal(train("", "missing.conllu"), "missing.conllu");
  expect_refusal(train("", "short.conllu"), "short.conllu:1: a row must have 10 columns");
  expect_refusal(train("", "bare.conllu"),
                 "bare.conllu:2: the word must have a tag in column upos");
  EXPECT_FALSE(exists("m"));
  expect_refusal(run("tag --model nowhere", "a"), "nowhere/settings.json");

  ASSERT_EQ(train().code, 0);
  expect_refusal(run("tag --model m", "fine\n\xff\n"), "standard input:2");
  expect_refusal(run("tag --model m --input conllu", "x\n"), "standard input:1");
  expect_checked_model("tag --model m");
  const std::string words = read("m/words.json");
  write("m/words.json", "[\"<pad>\", \"<unk>\", \"other\"]");
  expect_refusal(run("tag --model m", "a"), "weights.safetensors");
  write("m/words.json", words);
  write("m/settings.json", "{}");
  expect_refusal(run("tag --model m", "a"), "m/settings.json: these are no settings");
}

TEST_F(Tag, TellsHowItIsUsed) {
  for (const char* wrong : {"", "train", "train --model m --no-such-option 1",
                            "train --model m --column lemma", "tag --model m --input html"})
    EXPECT_EQ(run(wrong).code, 2) << wrong;
  for (const char* command : {"", "train", "eval", "tag"})
    EXPECT_EQ(run(fmt::format("{} --help", command)).code, 0);
  EXPECT_FALSE(exists("m"));
}

}  // namespace
