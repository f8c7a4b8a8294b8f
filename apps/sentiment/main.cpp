// reel-sentiment: learns to tell classes of texts apart, such as praise and blame.
#include <fmt/format.h>
#include <unistd.h>
#include <reel/data/text.hpp>

#include "../common/run.hpp"
#include "../common/texts.hpp"
#include "cross_validation.hpp"
#include "options.hpp"
#include "show.hpp"

namespace {

using namespace sentiment;
namespace fs = std::filesystem;

// Where a model's folder has the bag of words that was trained beside it.
fs::path baseline_of(const fs::path& model) { return model / "bag-of-words"; }

int train_command(LearnOptions& options, double held_out, const CLI::App& command) {
  const reel::Corpus corpus = options.source.read();
  const std::string source = options.source.name();
  if (!options.dev_file.empty()) options.task.dev_share = 0;
  const reel::Split split =
      reel::stratified_split(reel::labels_of(corpus), held_out, options.task.split_seed);
  Task task = prepare(corpus, split, options.settings, options.task, options.training.seed);
  Classifier& classifier = task.classifier;
  require_classes(task.train, classifier.classes, source);
  if (!options.dev_file.empty())
    task.dev = encode(options.source.read_table(options.dev_file, corpus.classes), classifier);
  fmt::print("{} texts to learn from, {} to choose the epoch on, {} held out; {} words\n{}",
             task.train.labels.size(), task.dev.labels.size(), task.held_out.labels.size(),
             classifier.vocabulary.size(), reel::describe(classifier.model));

  const fs::path folder = options.training.folder;
  options.training.prepare(command);
  apps::Report report("reel-sentiment");
  const bool complete = train(classifier, task.train, task.dev, options.training, report);
  save(folder, classifier);
  fs::remove_all(baseline_of(folder));  // of a model that was here before
  options.training.model_saved(complete);

  const auto measure = [&](const Classifier& model, const char* name) {
    if (task.held_out.labels.empty()) return;
    const std::string line = fmt::format("{}held-out accuracy {:.4f}", name,
                                         evaluate(model, task.held_out).confusion.accuracy());
    fmt::print("{}\n", line);
    report.paragraph(line);
  };
  measure(classifier, "");
  if (options.baseline && complete) {
    Classifier bag = train_bag(task, options.training);
    fs::create_directories(baseline_of(folder));
    save(baseline_of(folder), bag);
    measure(bag, "bag of words: ");
  }
  if (!options.training.report.empty()) {
    add_examples(report, classifier, task.held_out.labels.empty() ? task.dev : task.held_out);
    report.write(options.training.report);
  }
  return complete ? 0 : apps::kInterrupted;
}

int evaluate_command(const fs::path& folder, const apps::TextSource& source) {
  const Classifier classifier = load(folder);
  const reel::Corpus corpus = source.read(classifier.classes);
  const Score score = evaluate(classifier, encode(corpus, classifier));
  fmt::print("{}\n{}\n", summary(score), table(score, classifier.classes));
  if (fs::exists(baseline_of(folder))) {
    const Classifier bag = load(baseline_of(folder));
    fmt::print("bag of words: {}\n", summary(evaluate(bag, encode(corpus, bag))));
  }
  return 0;
}

int predict_command(const fs::path& folder, bool words, const std::vector<std::string>& texts) {
  const Classifier classifier = load(folder);
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  apps::for_each_text(texts, [&](const std::string& text) {
    const auto [label, probabilities] = classifier.predict({classifier.encode(text)})[0];
    fmt::print("{}\t{:.4f}\t{}\n", classifier.classes[label], probabilities[label], text);
    if (!words) return;
    WeighedWords weights = weigh_words(classifier, classifier.encode(text), label);
    const std::vector<std::string> names = reel::tokenize(text);  // also of unknown words
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i].first = names[i];
    fmt::print("{}\n", terminal ? coloured(weights) : plain(weights));
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Learns to tell classes of texts apart with a recurrent network.", "reel-sentiment");
  app.require_subcommand(1);
  int result = 0;

  LearnOptions learn;
  double held_out = 0;
  CLI::App* const train = app.add_subcommand("train", "learn from labelled texts, save the model");
  learn.add_options(*train);
  train->add_option("--dev", learn.dev_file, "TSV or CSV to choose the best epoch on");
  apps::add_number(*train, "--held-out", held_out, 0.0, 0.95,
                   "share kept aside and measured once, at the end");
  train->callback([&] { result = train_command(learn, held_out, *train); });

  LearnOptions fold;
  std::size_t folds = 10;
  CLI::App* const validate =
      app.add_subcommand("cross-validate", "train on all folds but one, measure on that, for each");
  fold.add_options(*validate);
  apps::add_number(*validate, "--folds", folds, std::size_t{2}, std::size_t{1000}, "how many");
  validate->callback([&] { result = cross_validate(fold, folds, *validate); });

  std::string model;
  apps::TextSource source;
  CLI::App* command = app.add_subcommand("eval", "measure a model on labelled texts");
  command->add_option("--model", model, "folder of the model")->required();
  source.tree_options.phrases = false;
  source.add_options(*command);
  command->callback([&] { result = evaluate_command(model, source); });

  std::vector<std::string> texts;
  bool words = false;
  command = app.add_subcommand("predict", "label texts: label, its probability, text");
  command->add_option("--model", model, "folder of the model")->required();
  command->add_flag("--words", words, "shows what each word adds to the log odds of the label");
  command->add_option("text", texts, "texts; none: lines of standard input");
  command->callback([&] { result = predict_command(model, words, texts); });

  return apps::run(app, argc, argv, result);
}
