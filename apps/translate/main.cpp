// reel-translate: learns to translate from pairs of sentences.
#include <fmt/format.h>

#include "../common/bundled.hpp"
#include "../common/run.hpp"
#include "../common/texts.hpp"
#include "training.hpp"

namespace {

using namespace translate;
using apps::add_choice, apps::add_number, apps::add_share, apps::add_size;

constexpr const char* kData = "lines of source<TAB>target; none: bundled, English and French";

Pairs read(const std::string& data) {
  return reel::read_parallel(data.empty() ? apps::bundled("translate/tatoeba") / "pairs.tsv"
                                          : std::filesystem::path(data));
}

void add_search(CLI::App& command, Search& search) {
  add_number(command, "--beam", search.beam, 1, 1000, "hypotheses followed; 1: greedy");
  add_number(command, "--alpha", search.alpha, 0.0, 10.0,
             "beams are ranked by log probability / length^alpha");
}

struct TrainCommand {
  std::string data;
  Settings settings;
  TrainOptions options;
  Search beam;

  void add_options(CLI::App& command) {
    command.add_option("--data", data, kData);
    add_size(command, "--subwords", settings.subwords,
             "tokens of each language (byte-pair encoding)", 4);
    add_size(command, "--embedding", settings.embedding_size, "width of the tokens' vectors", 4);
    add_size(command, "--hidden", settings.hidden_size, "width of the recurrent states", 4);
    add_choice(command, "--attention", settings.attention, {"general", "additive"},
               "how attention compares");
    add_share(command, "--dropout", settings.dropout, "of embeddings and attentional vectors");
    add_share(command, "--label-smoothing", options.label_smoothing,
              "share of each target spread over all tokens");
    add_number(command, "--forced", options.forced, 0.0, 1.0,
               "share of steps fed the true token; 1: teacher forcing");
    options.add_options(command);
  }

  int run(const CLI::App& command) {
    const Parts parts = split(read(data));
    reel::check<reel::Error>(!parts.train.empty(), "data: too few pairs to learn from; got none");
    options.prepare(command);
    Translator translator = prepare(parts.train, settings, options.seed);
    fmt::print("{} pairs to learn from, {} to choose the epoch on, {} to test; {} and {} tokens\n",
               parts.train.size(), parts.dev.size(), parts.test.size(), translator.source.size(),
               translator.target.size());
    std::fflush(stdout);
    apps::Report report("reel-translate");
    const bool complete = train(translator, parts, options, report);
    save(options.folder, translator);
    options.model_saved(complete);
    if (complete && !parts.test.empty()) {
      const Score score = evaluate(translator, parts.test, beam);
      fmt::print("test: {} pairs\n{}", parts.test.size(), translate::describe(score, beam));
      report.preformatted(translate::describe(score, beam));
      if (!options.report.empty()) show_examples(translator, parts.test, score, report);
    }
    if (!options.report.empty()) report.write(options.report);
    return complete ? 0 : apps::kInterrupted;
  }
};

int evaluate_command(const std::string& model, const std::string& data, const std::string& part,
                     const Search& beam) {
  const Translator translator = load(model);
  const Pairs all = read(data);
  const Parts parts = split(all);
  const Pairs& pairs = part == "all" ? all : part == "dev" ? parts.dev : parts.test;
  reel::check<reel::Error>(!pairs.empty(), "data: there are no pairs in the part '{}'", part);
  fmt::print("{}: {} pairs\n{}", part, pairs.size(),
             translate::describe(evaluate(translator, pairs, beam), beam));
  return 0;
}

int translate_command(const std::string& model, const std::vector<std::string>& texts,
                      Search search) {
  search.n_best = std::min(search.n_best, search.sampled ? 1 : search.beam);
  const Translator translator = load(model);
  apps::for_each_text(texts, [&](const std::string& text) {
    const auto found = translator.translate({text}, search)[0];
    for (const Translation& one : found)
      search.n_best > 1 ? fmt::print("{:.4f}\t{}\n", one.score, one.text)
                        : fmt::print("{}\n", one.text);
    ++search.seed;
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Learns to translate with an encoder-decoder and attention.", "reel-translate");
  app.require_subcommand(1);
  int result = 0;

  TrainCommand train;
  CLI::App* command = app.add_subcommand("train", "learn from pairs of sentences, save the model");
  train.add_options(*command);
  command->callback([&, command] { result = train.run(*command); });

  std::string model, data, part = "test";
  Search search;
  command = app.add_subcommand("eval", "BLEU of greedy search and of beams");
  command->add_option("--model", model, "folder of the model")->required();
  command->add_option("--data", data, kData);
  add_choice(*command, "--part", part, {"test", "dev", "all"},
             "which pairs: those kept for the test, for dev, or all");
  add_search(*command, search);
  command->callback([&] { result = evaluate_command(model, data, part, search); });

  std::vector<std::string> texts;
  command = app.add_subcommand("translate", "translate texts, a line for each");
  command->add_option("--model", model, "folder of the model")->required();
  command->add_option("text", texts, "texts; none: lines of standard input");
  add_search(*command, search);
  add_number(*command, "--n-best", search.n_best, 1, 1000, "translations, with scores");
  command->add_flag("--sample", search.sampled, "draw a translation instead");
  add_number(*command, "--temperature", search.how.temperature, 1e-3, 1e3, "of --sample");
  add_number(*command, "--top-k", search.how.top_k, 0, 1000000, "of --sample; 0: all tokens");
  add_number(*command, "--top-p", search.how.top_p, 1e-6, 1.0, "of --sample");
  command->add_option("--seed", search.seed, "of --sample")->capture_default_str();
  command->callback([&] { result = translate_command(model, texts, search); });

  return apps::run(app, argc, argv, result);
}
