// reel-sentiment: learns to tell two classes of texts apart, such as praise and blame.
#include <fmt/format.h>

#include <iostream>

#include "../common/run.hpp"
#include "training.hpp"

namespace {

using namespace sentiment;
namespace fs = std::filesystem;

// Where labelled texts come from: one TSV file, or a file for each class.
struct Source {
  std::string tsv;
  std::vector<fs::path> class_files;

  void add_options(CLI::App& command) {
    auto* data = command.add_option("--data", tsv, "lines of label<TAB>text");
    command.add_option("--classes", class_files, "two files, one text on a line, one class each")
        ->expected(2)
        ->excludes(data);
  }
  reel::Corpus read(const std::vector<std::string>& classes = {}) const {
    if (!class_files.empty()) return reel::read_class_files(class_files, classes);
    if (tsv.empty()) throw CLI::RequiredError("--data or --classes");
    return reel::read_tsv(tsv, classes);
  }
  std::string name() const { return tsv.empty() ? class_files[0].string() : tsv; }
};

struct TrainCommand {
  Source source;
  std::string dev_file, model;
  double held_out = 0, dev_share = 0.1;
  std::uint64_t split_seed = 1;
  Settings settings;
  TrainOptions options;
  reel::VocabularyLimits limits{.min_count = 1, .max_size = kLargestSize};

  void add_options(CLI::App& command) {
    source.add_options(command);
    command.add_option("--model", model, "folder to save the model in")->required();
    command.add_option("--dev", dev_file, "TSV to choose the best epoch on");
    command.add_option("--dev-share", dev_share, "without --dev: this share of the texts")
        ->check(CLI::Range(0.0, 0.9))
        ->capture_default_str();
    command.add_option("--held-out", held_out, "share kept aside and measured once, at the end")
        ->check(CLI::Range(0.0, 0.9))
        ->capture_default_str();
    command.add_option("--cell", settings.cell, "recurrent cell")
        ->check(CLI::IsMember({"rnn", "lstm", "gru"}))
        ->capture_default_str();
    const auto size = [&](const char* name, std::size_t& value, const char* help) {
      command.add_option(name, value, help)
          ->check(CLI::Range(std::size_t{1}, kLargestSize))
          ->capture_default_str();
    };
    const auto positive = [&](const char* name, double& value, const char* help) {
      command.add_option(name, value, help)->check(CLI::Range(1e-9, 1e9))->capture_default_str();
    };
    const auto share = [&](const char* name, auto& value, const char* help) {
      command.add_option(name, value, help)->check(CLI::Range(0.0, 0.95))->capture_default_str();
    };
    size("--embedding", settings.embedding_size, "width of the word vectors");
    size("--hidden", settings.hidden_size, "width of the recurrent state");
    size("--max-length", settings.max_length, "words kept of each text");
    size("--epochs", options.epochs, "passes over the texts");
    size("--batch", options.batch_size, "texts in a step");
    positive("--rate", options.learning_rate, "learning rate of Adam, falling to 0");
    positive("--clip", options.clip, "bound of the gradient's norm");
    size("--min-count", limits.min_count, "rarer words become <unk>");
    size("--max-words", limits.max_size, "size of the vocabulary");
    share("--dropout", settings.dropout, "of word vectors and of the last state");
    share("--word-dropout", options.word_dropout, "share of words hidden while training");
    command.add_option("--seed", options.seed, "of the weights, the order and the dropout")
        ->capture_default_str();
    command.add_option("--split-seed", split_seed, "of what is held out")->capture_default_str();
  }

  int run() {
    const reel::Corpus corpus = source.read();
    reel::require_two_classes(corpus, source.name());
    const reel::Corpus dev_corpus =
        dev_file.empty() ? reel::Corpus{} : reel::read_tsv(dev_file, corpus.classes);

    // The vocabulary knows the words of the texts that are learned from, and no others.
    const std::vector<std::int64_t> labels = reel::labels_of(corpus);
    const reel::Split outer = reel::stratified_split(labels, held_out, split_seed);
    std::vector<std::int64_t> rest_labels;
    for (std::size_t i : outer.train) rest_labels.push_back(labels[i]);
    const reel::Split inner =
        reel::stratified_split(rest_labels, dev_file.empty() ? dev_share : 0, split_seed + 1);
    std::vector<std::vector<std::string>> words;
    for (std::size_t i : inner.train)
      words.push_back(reel::tokenize(corpus.texts[outer.train[i]].text));

    reel::Random random(options.seed);
    reel::Vocabulary vocabulary(words, limits);
    Model model_of_words(settings, vocabulary.size(), random);
    Classifier classifier{settings, corpus.classes, std::move(vocabulary),
                          std::move(model_of_words)};
    const Examples all = encode(corpus, classifier);
    const Examples rest = select(all, outer.train), test = select(all, outer.held_out);
    const Examples examples = select(rest, inner.train);
    const Examples dev =
        dev_file.empty() ? select(rest, inner.held_out) : encode(dev_corpus, classifier);
    fmt::print("{} texts to learn from, {} to choose the epoch on, {} held out; {} words\n{}",
               examples.labels.size(), dev.labels.size(), test.labels.size(),
               classifier.vocabulary.size(), reel::describe(classifier.model));

    require_both_classes(examples, source.name());
    fs::create_directories(model);  // fails now rather than after the training
    const bool complete = train(classifier, examples, dev, options);
    save(model, classifier);
    if (!complete) fmt::print("interrupted; ");
    fmt::print("model saved in {}\n", model);
    if (!test.labels.empty())
      fmt::print("held-out accuracy {:.4f}\n", evaluate(classifier, test).accuracy);
    return complete ? 0 : apps::kInterrupted;
  }
};

int evaluate_command(const std::string& model, const Source& source) {
  const Classifier classifier = load(model);
  const Examples examples = encode(source.read(classifier.classes), classifier);
  const Score score = evaluate(classifier, examples);
  fmt::print("{} texts  loss {:.6f}  accuracy {:.4f}\n", examples.labels.size(), score.loss,
             score.accuracy);
  return 0;
}

int predict_command(const std::string& model, std::vector<std::string> texts) {
  const Classifier classifier = load(model);
  const auto print = [&](const std::string& text) {
    const double p = classifier.predict({classifier.encode(text)})[0];
    fmt::print("{}\t{:.4f}\t{}\n", classifier.classes[p > 0.5], p > 0.5 ? p : 1 - p, text);
  };
  for (const std::string& text : texts) {
    reel::check_utf8<reel::Error>(text, "argument");
    print(text);
  }
  if (!texts.empty()) return 0;
  std::string line;
  for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
    if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
    if (line.ends_with('\r')) line.pop_back();
    reel::check_utf8<reel::Error>(line, fmt::format("standard input:{}", number));
    print(line);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Learns to tell two classes of texts apart with a recurrent network.",
               "reel-sentiment");
  app.require_subcommand(1);
  int result = 0;

  TrainCommand train;
  CLI::App* command = app.add_subcommand("train", "learn from labelled texts, save the model");
  train.add_options(*command);
  command->callback([&] { result = train.run(); });

  std::string model;
  Source source;
  command = app.add_subcommand("eval", "measure a model on labelled texts");
  command->add_option("--model", model, "folder of the model")->required();
  source.add_options(*command);
  command->callback([&] { result = evaluate_command(model, source); });

  std::vector<std::string> texts;
  command = app.add_subcommand("predict", "label texts: label, its probability, text");
  command->add_option("--model", model, "folder of the model")->required();
  command->add_option("text", texts, "texts; none: lines of standard input");
  command->callback([&] { result = predict_command(model, texts); });

  return apps::run(app, argc, argv, result);
}
