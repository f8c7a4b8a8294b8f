// reel-sentiment from the outside: what it prints, writes and refuses.
#include "app_test.hpp"

namespace {

using namespace reel::test;

class Sentiment : public AppTest {
 protected:
  Sentiment() : AppTest(REEL_SENTIMENT) {}
  void SetUp() override { write("train.tsv", examples(60)); }

  // Texts that are good or bad, as their labels say.
  static std::string examples(int count) {
    const char* good[] = {"a fine warm film", "warm and fine", "fine , fine work"};
    const char* bad[] = {"a dull cold film", "cold and dull", "dull , dull work"};
    std::string text;
    for (int i = 0; i < count; ++i)
      text += fmt::format("{}\t{}\n", i % 2 ? "good" : "bad", i % 2 ? good[i % 3] : bad[i % 3]);
    return text;
  }
  Outcome train(const std::string& more = "--data train.tsv") {
    return run(
        "train --model m --embedding 8 --hidden 8 --epochs 12 --rate 0.02 --dev-share 0.2 "
        "--dropout 0.1 --word-dropout 0 " +
        more);
  }
};

TEST_F(Sentiment, LearnsSavesMeasuresAndPredicts) {
  for (const char* cell : {"rnn", "lstm", "gru"}) {
    const Outcome trained = train(fmt::format("--data train.tsv --held-out 0.1 --cell {}", cell));
    ASSERT_EQ(trained.code, 0) << trained.err;
    EXPECT_TRUE(contains(trained.out, "epoch 12/12  loss ")) << trained.out;
    EXPECT_TRUE(contains(trained.out, "tokens/s")) << trained.out;
    EXPECT_TRUE(contains(trained.out, "held-out accuracy 1.0000")) << trained.out;
    EXPECT_EQ(trained.err, "");  // progress is for terminals

    const Outcome measured = run("eval --model m --data train.tsv");
    EXPECT_TRUE(contains(measured.out, "60 texts")) << measured.out << measured.err;
    EXPECT_TRUE(contains(measured.out, "accuracy 1.0000")) << measured.out;

    const Outcome predicted = run("predict --model m", "fine and warm\ndull and cold\n");
    EXPECT_EQ(predicted.out.substr(0, 5), "good\t") << predicted.out;
    EXPECT_TRUE(contains(predicted.out, "\nbad\t")) << predicted.out;
    EXPECT_EQ(run("predict --model m 'fine and warm' 'dull and cold'").out, predicted.out);
  }
}

TEST_F(Sentiment, GivesTheSameBitsForTheSameSeed) {
  const std::string first = without_rates(train("--data train.tsv --seed 7").out);
  const std::string weights = read("m/weights.safetensors");
  EXPECT_EQ(without_rates(train("--data train.tsv --seed 7").out), first);
  EXPECT_EQ(read("m/weights.safetensors"), weights);
  train("--data train.tsv --seed 8");
  EXPECT_NE(read("m/weights.safetensors"), weights);
}

TEST_F(Sentiment, GivesTheSameBitsOnAnyNumberOfThreads) {
  const std::string one = without_rates(train("--data train.tsv --threads 1").out);
  const std::string weights = read("m/weights.safetensors");
  for (const int threads : {0, 2, 3, 9}) {
    const Outcome outcome = train(fmt::format("--data train.tsv --threads {}", threads));
    EXPECT_EQ(without_rates(outcome.out), one);
    EXPECT_EQ(read("m/weights.safetensors"), weights);
  }
}

TEST_F(Sentiment, ReadsOneFilePerClassInAnyLanguage) {
  std::string good, bad;
  for (int i = 0; i < 20; ++i) good += "прекрасный фильм\n", bad += "скучный фильм\n";
  write("films.good", good);
  write("films.bad", bad);
  ASSERT_EQ(train("--classes films.bad films.good").code, 0);
  EXPECT_EQ(run("predict --model m 'Прекрасный ФИЛЬМ'").out.substr(0, 5), "good\t");
}

TEST_F(Sentiment, LabelsATextWithoutWords) {
  ASSERT_EQ(train().code, 0);
  const Outcome outcome = run("predict --model m", "\n");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(contains(outcome.out, "\t0.")) << outcome.out;
}

TEST_F(Sentiment, RefusesBadDataAndWritesNoModel) {
  write("empty.tsv", "");
  write("one.tsv", "good\ta\ngood\tb\n");
  write("utf8.tsv", "good\ta\nbad\t\xff\n");
  write("tab.tsv", "good\ta\nbad without tab\n");
  expect_refusal(train("--data missing.tsv"), "missing.tsv");
  expect_refusal(train("--data empty.tsv"), "empty.tsv");
  expect_refusal(train("--data one.tsv"), "one.tsv");
  expect_refusal(train("--data utf8.tsv"), "utf8.tsv:2");
  expect_refusal(train("--data tab.tsv"), "tab.tsv:2");
  EXPECT_FALSE(exists("m"));
}

TEST_F(Sentiment, RefusesAModelThatDoesNotFit) {
  expect_refusal(run("predict --model nowhere a"), "nowhere/settings.json");
  ASSERT_EQ(train().code, 0);
  const std::string weights = read("m/weights.safetensors"), words = read("m/vocabulary.json");

  write("m/weights.safetensors", weights.substr(0, weights.size() / 2));
  expect_refusal(run("predict --model m a"), "weights.safetensors");
  write("m/weights.safetensors", "PK\x03\x04 this is no such file");
  expect_refusal(run("predict --model m a"), "weights.safetensors");
  write("m/weights.safetensors", weights);

  expect_checked_model("predict --model m a");
  write("m/vocabulary.json", "[\"<pad>\", \"<unk>\", \"other\"]");
  expect_refusal(run("predict --model m a"), "vocabulary.json");
  write("m/vocabulary.json", words);
  write("m/settings.json", "{}");
  expect_refusal(run("predict --model m a"), "settings.json");
}

TEST_F(Sentiment, RefusesLabelsTheModelDoesNotKnow) {
  ASSERT_EQ(train().code, 0);
  write("test.tsv", "good\tfine\nmiddling\tso so\n");
  expect_refusal(run("eval --model m --data test.tsv"), "test.tsv:2");
  expect_refusal(run("predict --model m", "fine\n\xff\n"), "standard input:2");
}

TEST_F(Sentiment, TellsHowItIsUsed) {
  EXPECT_EQ(run("train --data train.tsv --model m --no-such-option 1").code, 2);
  EXPECT_EQ(run("train --data train.tsv --model m --cell transformer").code, 2);
  EXPECT_EQ(run("train --model m").code, 2);
  EXPECT_EQ(run("").code, 2);
  for (const char* command : {"", "train", "eval", "predict"})
    EXPECT_EQ(run(fmt::format("{} --help", command)).code, 0);
  EXPECT_FALSE(exists("m"));
}

TEST_F(Sentiment, GoesOnAfterCtrlCAsIfNothingHadHappened) {
  write("long.tsv", examples(1000));
  const std::string command =
      "train --data long.tsv --embedding 8 --hidden 8 --epochs 60 --dev-share 0.1 --model ";
  const Outcome stopped = interrupt(command + "m", "m/training.safetensors");
  EXPECT_EQ(stopped.code, 130);
  EXPECT_TRUE(contains(stopped.out, "interrupted; the same command with --resume goes on"))
      << stopped.out << stopped.err;
  EXPECT_EQ(run("predict --model m 'fine'").code, 0);

  expect_refusal(run(command + "m --resume --rate 0.5"),
                 "training.safetensors: was begun with --rate '0.001', which is '0.5' now");
  EXPECT_EQ(run(command + "m --resume").code, 0);
  EXPECT_EQ(run(command + "whole").code, 0);
  EXPECT_EQ(read("m/weights.safetensors"), read("whole/weights.safetensors"));
  EXPECT_FALSE(exists("m/training.safetensors"));
  expect_refusal(run(command + "m --resume"), "nothing to go on with");
}

TEST_F(Sentiment, EncodesInManyWays) {
  for (const char* options :
       {"--cell sru --bidirectional --pooling mean", "--cell min-gru --layers 2 --pooling max",
        "--cell gru --bidirectional --layers 2", "--cell min-lstm --pooling attention"}) {
    const Outcome trained = train(fmt::format("--data train.tsv --held-out 0.1 {}", options));
    ASSERT_EQ(trained.code, 0) << options << trained.err;
    EXPECT_TRUE(contains(trained.out, "held-out accuracy 1.0000")) << options << trained.out;
    EXPECT_TRUE(contains(run("eval --model m --data train.tsv").out, "accuracy 1.0000")) << options;
  }
}

TEST_F(Sentiment, ABagOfWordsIsAModelToo) {
  const Outcome trained =
      run("train --model m --data train.tsv --cell bag --epochs 60 --rate 0.05 --held-out 0.1 "
          "--dev-share 0");
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(contains(trained.out, "held-out accuracy 1.0000")) << trained.out;
  EXPECT_EQ(run("predict --model m 'fine dull fine warm'").out.substr(0, 5), "good\t");
}

TEST_F(Sentiment, StartsFromWordVectors) {
  write("v.txt", "fine 1 0 0\ndull -1 0 0\nother 0 0 1\n");
  const Outcome trained =
      run("train --model m --data train.tsv --hidden 8 --epochs 1 --dev-share 0 --rate 1e-9 "
          "--vectors v.txt --freeze");
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(contains(trained.out, "embedding.weight")) << trained.out;
  EXPECT_TRUE(contains(trained.out, "frozen")) << trained.out;
  EXPECT_EQ(run("eval --model m --data train.tsv").code, 0);
  write("v.txt", "fine 1 0 0\ndull -1 0\n");
  EXPECT_EQ(train("--data train.tsv --vectors v.txt").code, 2);  // has its own width
  expect_refusal(run("train --model n --data train.tsv --vectors v.txt"),
                 "v.txt:2: line must be a word and 3 numbers");
}

TEST_F(Sentiment, TellsSeveralClassesApart) {
  std::string csv = "id,text,emotion\n";
  for (int i = 0; i < 90; ++i)
    csv += i % 3 == 0   ? "1,\"glad, so glad\",[0 2]\n"
           : i % 3 == 1 ? "2,sad and grey,[1]\n"
                        : "3,a chair,[]\n";
  write("e.csv", csv);
  const std::string data = "--data e.csv --label-column emotion ";
  const Outcome trained =
      train(data + "--held-out 0.1 --baseline --balance --best-by-f1 --report r.html");
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(contains(trained.out, "\nheld-out accuracy 1.0000")) << trained.out;
  EXPECT_TRUE(contains(trained.out, "\nbag of words: held-out accuracy ")) << trained.out;
  EXPECT_TRUE(contains(trained.out, "dev macro-F1 1.0000")) << trained.out;
  EXPECT_TRUE(contains(read("r.html"), "<span")) << "weighed words";

  const Outcome measured = run("eval --model m " + data);
  EXPECT_TRUE(contains(measured.out, "macro-F1 1.0000")) << measured.out;
  EXPECT_TRUE(contains(measured.out, "bag of words: 90 texts")) << measured.out;
  EXPECT_TRUE(contains(measured.out, "\nnone ")) << measured.out;
  EXPECT_EQ(run("predict --model m 'sad, so sad'").out.substr(0, 2), "1\t");
}

TEST_F(Sentiment, LearnsFromThePhrasesOfTrees) {
  std::string trees;
  for (int i = 0; i < 40; ++i)
    trees += fmt::format("(3 (4 (3 w{}) (4 fine)) (2 .))\n(1 (0 (1 v{}) (0 dull)) (2 .))\n(2 so)\n",
                         i, i);
  write("t.txt", trees);
  write("dev.tsv", "1\tfine .\n0\tdull .\n");
  const Outcome trained = train("--trees t.txt --binary --dev dev.tsv");
  ASSERT_EQ(trained.code, 0) << trained.err;
  // Of each tree the whole, the phrase and two words, of which one comes again and again.
  EXPECT_TRUE(contains(trained.out, "242 texts to learn from, 2 to choose")) << trained.out;
  const Outcome measured = run("eval --model m --trees t.txt --binary");
  EXPECT_TRUE(contains(measured.out, "80 texts")) << measured.out << measured.err;
  write("t.txt", "(3 (4 fine)\n");
  expect_refusal(train("--trees t.txt"), "t.txt:1: tree must have a bracket at column 12");
}

TEST_F(Sentiment, CrossValidates) {
  const std::string command =
      "cross-validate --data train.tsv --folds 3 --model m --embedding 8 --hidden 8 --epochs 12 "
      "--rate 0.02 --word-dropout 0 --baseline";
  const Outcome outcome = run(command);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "fold 3/3: accuracy 1.0000")) << outcome.out;
  const std::string result =
      "\naccuracy 1.0000, mean of 3 folds with standard deviation 0.0000\nbag of words: accuracy ";
  EXPECT_TRUE(contains(outcome.out, result)) << outcome.out;
  EXPECT_FALSE(exists("m/fold-1/training.safetensors"));
  expect_refusal(run(command + " --resume"), "fold-1/training.safetensors: not there");
}

TEST_F(Sentiment, CrossValidationGoesOnWithTheSameOptionsOnly) {
  write("long.tsv", examples(300));
  const std::string command =
      "cross-validate --data long.tsv --folds 3 --embedding 8 --hidden 8 --epochs 20 "
      "--word-dropout 0.9 --dev-share 0.1 --model ";
  const Outcome whole = run(command + "whole");
  ASSERT_EQ(whole.code, 0) << whole.err;
  ASSERT_EQ(interrupt(command + "m", "m/fold-2/training.safetensors").code, 130);
  expect_refusal(run(command + "m --resume --split-seed 2"),
                 "fold-1/training.safetensors: was begun with --split-seed '1', which is '2' now");
  const Outcome resumed = run(command + "m --resume");
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  const auto folds = [](const std::string& out, const char* from) {
    return out.substr(out.find(from));
  };
  EXPECT_EQ(folds(resumed.out, "\naccuracy"), folds(whole.out, "\naccuracy"));
  for (const char* fold : {"fold 1/3: accuracy ", "fold 2/3: accuracy "})
    EXPECT_EQ(folds(resumed.out, fold).substr(0, 25), folds(whole.out, fold).substr(0, 25));
}

TEST_F(Sentiment, ForgetsTheBaselineOfAnotherTraining) {
  ASSERT_EQ(train("--data train.tsv --baseline").code, 0);
  EXPECT_TRUE(contains(run("eval --model m --data train.tsv").out, "bag of words: "));
  ASSERT_EQ(train().code, 0);
  EXPECT_FALSE(contains(run("eval --model m --data train.tsv").out, "bag of words: "));
}

TEST_F(Sentiment, RefusesBeforeTheTrainingWhatItCouldNotSaveAfterIt) {
  write("file", "");
  std::filesystem::create_directory(path("folder"));
  std::filesystem::copy_file(path("train.tsv"), path("lat\xe9.tsv"));
  const std::string command = "train --hidden 8 --epochs 1 --data ";
  const auto refusal = [&](const std::string& options, const std::string& reason) {
    const Outcome outcome = run(command + options);
    expect_refusal(outcome, reason);
    EXPECT_FALSE(contains(outcome.out, "epoch 1")) << outcome.out;
  };
  refusal("lat\xe9.tsv --model m", "--data: text must be UTF-8; found byte 0xe9 at offset 3");
  refusal("train.tsv --model file", "--model: file must be a folder or the name of a new one");
  refusal("train.tsv --model m --report folder", "folder: must be writable; found a folder");
  write("vectors.txt", "nobody 1 2 3\n");
  refusal("train.tsv --model m --vectors vectors.txt",
          "vectors.txt: must have a vector for a word to learn from; found none for ");
}

TEST_F(Sentiment, WeighsWords) {
  ASSERT_EQ(train().code, 0);
  const Outcome outcome = run("predict --model m --words 'fine unheard-of work'");
  const std::size_t line = outcome.out.find('\n') + 1;
  EXPECT_EQ(outcome.out.substr(0, 5), "good\t");
  EXPECT_EQ(outcome.out.substr(line, 8), "  fine +") << outcome.out;
  EXPECT_TRUE(contains(outcome.out, "  unheard +0.00  - +0.00  of +0.00  work ")) << outcome.out;
  EXPECT_FALSE(contains(outcome.out, "\033")) << outcome.out;  // no terminal
}

}  // namespace
