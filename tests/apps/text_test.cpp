// reel-text from the outside: what it prints, writes and refuses.
#include "app_test.hpp"

namespace {

using namespace reel::test;

class TextApp : public AppTest {
 protected:
  TextApp() : AppTest(REEL_TEXT) {
    std::string lines;
    for (int i = 0; i < 120; ++i)
      lines += i % 2 ? "a cat sat on a mat.\n" : "the dog ran, he did.\n";
    write("lines.txt", lines);
  }
  // `more` may say how many epochs and how much dropout.
  static std::string arguments(const std::string& more) {
    return "train --data lines.txt --embedding 8 --hidden 16 --batch 4 --window 16 --rate 0.02 " +
           std::string(contains(more, "--epochs") ? "" : "--epochs 3 ") + more;
  }
  Outcome train(const std::string& more = "") const { return run(arguments("--model m " + more)); }
};

// Measured is the model that was saved, on a whole file.
double perplexity(const std::string& line) {
  return std::stod(line.substr(line.find("perplexity ") + 11));
}

TEST_F(TextApp, LearnsCharactersSavesMeasuresAndWrites) {
  const Outcome trained = train("--held-out 0.1 --input-dropout 0.05 --weight-dropout 0.1");
  ASSERT_EQ(trained.code, 0) << trained.err;
  for (const char* part : {"epoch 3/3  loss ", "characters/s",
                           "dev: ", "held out: ", "Kneser-Ney 5-gram ", "model saved in m"})
    EXPECT_TRUE(contains(trained.out, part)) << part << "\n" << trained.out;
  EXPECT_EQ(trained.err, "");  // progress is for terminals

  const Outcome measured = run("eval --model m --data lines.txt");
  EXPECT_TRUE(contains(measured.out, "2460 tokens  ")) << measured.out << measured.err;
  EXPECT_LT(perplexity(measured.out), 8) << measured.out;  // of some 20 characters

  for (const char* decoder :
       {"greedy", "beam --beam 3", "sample --temperature 0.5 --top-k 5 --top-p 0.9"}) {
    const std::string command =
        fmt::format("generate --model m --prompt 'the ' --length 30 --decoder {}", decoder);
    const Outcome written = run(command);
    ASSERT_EQ(written.code, 0) << written.err;
    EXPECT_EQ(written.out.substr(0, 4), "the ");
    EXPECT_EQ(written.out.size(), 4u + 30 + 1) << written.out;
    EXPECT_EQ(run(command).out, written.out);
  }
  const std::string sample = "generate --model m --length 60 --seed ";
  EXPECT_NE(run(sample + "1").out, run(sample + "2").out);
}

TEST_F(TextApp, LearnsFromWhatItReadsIfAsked) {
  ASSERT_EQ(train().code, 0);
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "tam a no tas tac a.\n";
  write("other.txt", lines);
  const std::string weights = read("m/weights.safetensors");
  const double fixed = perplexity(run("eval --model m --data other.txt").out);
  const double adapting = perplexity(run("eval --model m --data other.txt --adapt 0.01").out);
  EXPECT_LT(adapting, fixed / 2);
  EXPECT_EQ(read("m/weights.safetensors"), weights);  // the model on disk learns nothing
  // A window that holds the whole text is measured before anything is learned, at whatever rate.
  const std::string whole = "eval --model m --data other.txt --window 5000 --adapt ";
  EXPECT_EQ(run(whole + "0.01").out, run(whole + "0.5").out);
}

TEST_F(TextApp, LearnsWordsWithEachOutput) {
  for (const char* output : {"linear", "tied", "adaptive", "adaptive --cutoffs 4 8"}) {
    const Outcome trained = train(fmt::format("--level word --output {}", output));
    ASSERT_EQ(trained.code, 0) << trained.err;
    EXPECT_TRUE(contains(trained.out, "words/s")) << trained.out;
    const Outcome measured = run("eval --model m --data lines.txt");
    EXPECT_LT(perplexity(measured.out), 8) << output << measured.out;
  }
  const Outcome written = run("generate --model m --prompt 'the dog' --length 12");
  EXPECT_EQ(written.out.substr(0, 7), "the dog") << written.out;
  EXPECT_FALSE(contains(written.out, " ,")) << written.out;
}

TEST_F(TextApp, HasCellsAndLayers) {
  for (const char* cell : {"gru", "sru", "min-gru"}) {
    EXPECT_EQ(train(fmt::format("--epochs 1 --layers 2 --cell {}", cell)).code, 0) << cell;
    EXPECT_EQ(run("generate --model m --length 5").code, 0) << cell;
  }
}

TEST_F(TextApp, KnowsACellByItsFormerName) {
  ASSERT_EQ(train("--epochs 1 --cell min_gru").code, 0);
  std::string settings = read("m/settings.json");
  const std::size_t at = settings.find("\"min-gru\"");
  ASSERT_NE(at, settings.npos) << settings;
  write("m/settings.json", settings.replace(at, 9, "\"min_gru\""));
  reel::Safetensors file = reel::load_safetensors(path("m/weights.safetensors"));
  file.metadata.clear();  // which tells of other settings
  reel::save_safetensors(path("m/weights.safetensors"), file);
  const Outcome written = run("generate --model m --length 5");
  EXPECT_EQ(written.code, 0) << written.err;
}

TEST_F(TextApp, GivesTheSameBitsForTheSameSeedOnAnyNumberOfThreads) {
  const std::string one =
      without_rates(train("--threads 1 --weight-dropout 0.2").out, "characters");
  const std::string weights = read("m/weights.safetensors");
  EXPECT_EQ(without_rates(train("--threads 2 --weight-dropout 0.2").out, "characters"), one);
  EXPECT_EQ(read("m/weights.safetensors"), weights);
  train("--threads 1 --weight-dropout 0.2 --seed 2");
  EXPECT_NE(read("m/weights.safetensors"), weights);
}

TEST_F(TextApp, GoesOnWhereItWasInterrupted) {
  const std::string what = "--epochs 12 --model ";
  ASSERT_EQ(run(arguments(what + "m")).code, 0);
  const std::string weights = read("m/weights.safetensors");
  const Outcome stopped = interrupt(arguments(what + "n"), "n/training.safetensors");
  ASSERT_EQ(stopped.code, 130) << stopped.out << stopped.err;
  EXPECT_TRUE(contains(stopped.out, "--resume")) << stopped.out;
  EXPECT_EQ(run("generate --model n --length 5").code, 0);
  const Outcome resumed = run(arguments(what + "n --resume"));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(read("n/weights.safetensors"), weights);
}

TEST_F(TextApp, WritesAReport) {
  ASSERT_EQ(train("--epochs 1 --report page.html").code, 0);
  EXPECT_TRUE(contains(read("page.html"), "What it writes"));
}

TEST_F(TextApp, NeedsGnuplotForAReportOnly) {
  const std::string command = arguments("--epochs 1 --model m");
  expect_refusal(run(command + " --report page.html", "", "PATH=/nowhere"), "gnuplot: not found");
  EXPECT_FALSE(exists("m/weights.safetensors"));
  EXPECT_EQ(run(command, "", "PATH=/nowhere").code, 0);
  EXPECT_TRUE(exists("m/weights.safetensors"));
}

TEST_F(TextApp, SavesAModelAndAPageWhateverTheLosses) {
  const Outcome outcome =
      run("train --data lines.txt --embedding 8 --hidden 16 --epochs 1 --rate 3000 --clip 1e9 "
          "--schedule constant --model m --report page.html");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(exists("m/weights.safetensors") && exists("page.html"));
}

TEST_F(TextApp, KeepsTheStateOfAnInterruptedTrainingThatIsNotGoneOnWith) {
  const std::string what = arguments("--epochs 1000 --model m");
  ASSERT_EQ(interrupt(what, "m/training.safetensors").code, 130);
  const std::string state = read("m/training.safetensors");
  const Outcome again = run(arguments("--epochs 1 --model m"));
  EXPECT_TRUE(contains(again.out, "now m/training.old.safetensors")) << again.out << again.err;
  EXPECT_EQ(read("m/training.old.safetensors"), state);
}

TEST_F(TextApp, RefusesBadInput) {
  write("empty.txt", "");
  write("utf8.txt", "good\n\xff\n");
  expect_refusal(run("train --data missing.txt --model m"), "missing.txt");
  expect_refusal(run("train --data empty.txt --model m"), "empty.txt");
  expect_refusal(run("train --data utf8.txt --model m"), "utf8.txt:2");
  expect_refusal(run("generate --model nowhere"), "nowhere/settings.json");
  EXPECT_FALSE(exists("m"));
  ASSERT_EQ(train("--epochs 1").code, 0);
  expect_refusal(run("eval --model m --data utf8.txt"), "utf8.txt:2");
  expect_refusal(run("eval --model m --data empty.txt"), "empty.txt");
  expect_refusal(run("generate --model m --prompt ''"), "prompt");
  expect_checked_model("generate --model m --length 5");
  write("m/vocabulary.json", "[\"<pad>\", \"<unk>\", \"other\"]");
  expect_refusal(run("generate --model m"), "vocabulary.json");
  write("m/settings.json", "{}");
  expect_refusal(run("generate --model m"), "settings.json");
}

TEST_F(TextApp, TellsHowItIsUsed) {
  EXPECT_EQ(run("train --model m --no-such-option 1").code, 2);
  EXPECT_EQ(run("train --model m --cell transformer").code, 2);
  EXPECT_EQ(run("").code, 2);
  for (const char* command : {"", "train", "eval", "generate"})
    EXPECT_EQ(run(fmt::format("{} --help", command)).code, 0);
}

}  // namespace
