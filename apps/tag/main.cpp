// reel-tag: learns what part of speech each word is, and says so of new text.
#include <fmt/format.h>

#include <iostream>
#include <iterator>

#include "../common/run.hpp"
#include "../common/texts.hpp"
#include "page.hpp"
#include "training.hpp"
#include "words.hpp"

namespace {

using namespace tag;
using apps::add_choice, apps::add_number, apps::add_share, apps::add_size;

struct TrainCommand {
  std::string data, dev_data;
  Settings settings;
  TrainOptions options;

  void add_options(CLI::App& command) {
    command.add_option("--data", data, "CoNLL-U to learn from; none: bundled, a part of EWT");
    command.add_option("--dev", dev_data, "CoNLL-U to choose the best epoch on");
    options.add_options(command);
    add_choice(command, "--column", settings.column, {"upos", "xpos"}, "what to tag words with");
    add_choice(command, "--characters", settings.characters, {"lstm", "convolution", "none"},
               "how words are composed of them");
    command.add_flag("--crf", settings.crf, "learn which tags follow each other");
    add_size(command, "--embedding", settings.embedding_size, "width of the word vectors");
    add_size(command, "--shape", settings.shape_size,
             "width of the vectors of words' shapes; 0: none", 0);
    add_size(command, "--character", settings.character_size, "width of the character vectors");
    add_size(command, "--composed", settings.composed_size, "width of what is composed of them");
    add_size(command, "--hidden", settings.hidden_size,
             "width of the recurrent state in each direction");
    add_size(command, "--layers", settings.layers, "recurrent layers");
    add_share(command, "--dropout", settings.dropout,
              "of what enters and leaves the recurrent layers");
    add_number(command, "--word-dropout", options.word_dropout, 0.0, 1e6,
               "a: a word that occurs n times is hidden with chance a / (a + n)");
  }

  int run(const CLI::App& command) {
    const Sentences sentences = read_treebank(data, "train", settings.column);
    Sentences dev;
    if (data.empty() || !dev_data.empty()) dev = read_treebank(dev_data, "dev", settings.column);
    Tagger tagger = make_tagger(settings, sentences, options.seed);
    const Encoded encoded = tagger.encode(sentences), encoded_dev = tagger.encode(dev);
    fmt::print("{} sentences to learn from, {} to choose the epoch on; {} words, {} tags\n{}",
               sentences.size(), dev.size(), tagger.words.size(), tagger.tags.size(),
               reel::describe(tagger.model));
    const MostFrequentTag baseline(sentences);
    if (!dev.empty())
      fmt::print("most frequent tag of each word: dev accuracy {:.4f}\n",
                 evaluate(dev, baseline.predict(dev), tagger.words).all.accuracy());

    options.prepare(command);
    apps::Report report("reel-tag");
    const bool complete = train(tagger, encoded, encoded_dev, options, report);
    baseline.save(options.folder / "most_frequent.json");
    save(options.folder, tagger);
    options.model_saved(complete);
    if (!options.report.empty()) write_page(options.report, report, tagger, baseline, dev);
    return complete ? 0 : apps::kInterrupted;
  }
};

int evaluate_command(const std::string& model, const std::string& data) {
  const Tagger tagger = load(model);
  const auto baseline = MostFrequentTag::load(std::filesystem::path(model) / "most_frequent.json");
  const Sentences sentences = read_treebank(data, "test", tagger.settings.column);
  const Evaluation e = evaluate(sentences, tagger.predict(tagger.encode(sentences)), tagger.words);
  fmt::print("{}\n{}\n", describe(e), summary(e));
  fmt::print("most frequent tag of each word: accuracy {:.4f}\n",
             evaluate(sentences, baseline.predict(sentences), tagger.words).all.accuracy());
  return 0;
}

struct TagCommand {
  std::string model, input = "text", output = "tags";

  void add_options(CLI::App& command) {
    command.add_option("--model", model, "folder of the model")->required();
    add_choice(command, "--input", input, {"text", "words", "conllu"},
               "text or words, a sentence on a line; or CoNLL-U");
    add_choice(command, "--output", output, {"tags", "conllu"},
               "lines of word<TAB>tag, or CoNLL-U");
  }

  int run() const {
    const Tagger tagger = load(model);
    const reel::ConlluColumn column = reel::conllu_column(tagger.settings.column);
    const auto print = [&](reel::ConlluSentence sentence) {
      tagger.tag(sentence);
      fmt::print("{}", output == "conllu" ? reel::format_conllu(sentence)
                                          : words_and_tags(sentence, column));
      std::fflush(stdout);
    };
    if (input == "conllu") {
      const std::string text(std::istreambuf_iterator<char>(std::cin), {});
      for (auto& sentence : reel::parse_conllu(text, "standard input")) print(std::move(sentence));
      return 0;
    }
    apps::for_each_text({}, [&](const std::string& line) {
      const auto words = input == "text" ? split_words(line) : split_at_spaces(line);
      if (!words.empty()) print(reel::make_conllu(words));
    });
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Learns to tag the words of sentences, with parts of speech say.", "reel-tag");
  app.require_subcommand(1);
  int result = 0;

  TrainCommand train;
  CLI::App* const training = app.add_subcommand("train", "learn from a treebank, save the model");
  train.add_options(*training);
  training->callback([&] { result = train.run(*training); });

  std::string model, data;
  CLI::App* command = app.add_subcommand("eval", "measure a model on a treebank");
  command->add_option("--model", model, "folder of the model")->required();
  command->add_option("--data", data, "CoNLL-U; none: bundled, a part of EWT");
  command->callback([&] { result = evaluate_command(model, data); });

  TagCommand tagging;
  command = app.add_subcommand("tag", "tag the words of standard input");
  tagging.add_options(*command);
  command->callback([&] { result = tagging.run(); });

  return apps::run(app, argc, argv, result);
}
