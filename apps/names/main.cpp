// reel-names: writes names of a language, and tells the language of a name.
#include <fmt/format.h>

#include "../common/run.hpp"
#include "../common/texts.hpp"
#include "training.hpp"

namespace {

using namespace names;
using apps::add_choice, apps::add_number, apps::add_share, apps::add_size;

struct TrainCommand {
  Files files;
  SplitOptions split;
  Settings settings;
  TrainOptions options;
  std::size_t order = 5;

  void add_options(CLI::App& command) {
    options.add_options(command);
    command.add_option("--data", files, "a file of names for each language; none: 18 languages");
    add_choice(command, "--task", settings.task, {"generate", "classify"}, "what to learn");
    add_size(command, "--embedding", settings.embedding_size, "width of what stands for a letter");
    add_size(command, "--hidden", settings.hidden_size, "width of the recurrent state");
    add_share(command, "--dropout", settings.dropout,
              "of what enters and leaves the recurrent layer");
    add_share(command, "--dev-share", split.dev_share,
              "share of the names to choose the best epoch on");
    add_share(command, "--held-out", split.held_out,
              "share kept aside and measured once, at the end");
    command.add_option("--split-seed", split.seed, "of both")->capture_default_str();
    add_number(command, "--order", order, std::size_t{1}, std::size_t{20},
               "of the n-grams of letters beside it");
  }

  int run(const CLI::App& command) {
    Task task = prepare(files, split, settings, options.seed);
    Model& model = task.model;
    fmt::print(
        "{} names to learn from, {} to choose the epoch on, {} held out; {} languages, {} "
        "letters\n{}",
        task.train.names.size(), task.dev.names.size(), task.held_out.names.size(),
        model.languages.size(), model.letters.size(), reel::describe(model.network));
    options.prepare(command);
    apps::Report report("reel-names");
    const bool complete = train(model, task.train, task.dev, options, report);
    save(options.folder, model);
    options.model_saved(complete);
    if (complete && !task.held_out.names.empty()) {
      std::string line =
          fmt::format("held out: {}; {}-grams {}", tell(settings, evaluate(model, task.held_out)),
                      order, tell(settings, baseline(model, task.train, task.held_out, order)));
      if (settings.task == "classify")
        line += fmt::format("; majority {:.4f}", majority(task.train, task.held_out));
      fmt::print("{}\n", line);
      report.paragraph(line);
    }
    if (!options.report.empty()) {
      if (settings.task == "generate") {
        report.heading("Names it writes");
        report.table({"language", "names"}, some_of_each(model));
      } else if (!task.dev.names.empty()) {
        report.heading("What names to choose the epoch on are taken for");
        report.heat_map(confusion(model, task.dev));
      }
      report.write(options.report);
    }
    return complete ? 0 : apps::kInterrupted;
  }
};

void generate_command(const Model& model, const std::string& language,
                      const WritingOptions& options) {
  bool known = language.empty();
  for (std::size_t l = 0; l < model.languages.size(); ++l) {
    if (!language.empty() && model.languages[l] != language) continue;
    known = true;
    for (const std::string& name : write(model, l, options))
      fmt::print("{}\t{}\n", model.languages[l], name);
  }
  reel::check<reel::Error>(known, "language: must be one of {}; got {}",
                           fmt::join(model.languages, ", "), language);
}

void classify_command(const Model& model, const std::vector<std::string>& names) {
  apps::for_each_text(names, [&](const std::string& name) {
    const std::vector<std::vector<std::int64_t>> letters{model.encode(name)};
    const reel::Array p = model.probabilities(reel::make_batches(letters, 1)[0]);
    const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    fmt::print("{}\t{:.4f}\t{}\n", model.languages[best], p.data()[best], name);
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Writes names of a language, and tells the language of a name.", "reel-names");
  app.require_subcommand(1);
  int result = 0;

  TrainCommand train;
  CLI::App* const training = app.add_subcommand("train", "learn from names, save the model");
  train.add_options(*training);
  training->callback([&] { result = train.run(*training); });

  std::string model, language;
  const auto add_command = [&](const char* name, const char* help) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_option("--model", model, "folder of the model")->required();
    return command;
  };
  Files files;
  CLI::App* command = add_command("eval", "measure a model on names");
  command->add_option("--data", files,
                      "a file of names for each language; none: all of 18 languages, of which it "
                      "may have learned most");
  command->callback([&] {
    const Model loaded = load(model);
    const Examples examples = read(files, loaded);
    fmt::print("{} names  {}\n", examples.names.size(),
               tell(loaded.settings, evaluate(loaded, examples)));
  });

  WritingOptions writing;
  command = add_command("generate", "write names: language, name");
  command->add_option("--language", language, "of the names; none: all, one after the other");
  command->add_option("--prompt", writing.prompt, "what the names begin with");
  add_number(*command, "--count", writing.count, std::size_t{1}, std::size_t{1000},
             "names of each language; greedy writes one");
  writing.add_options(*command);
  command->callback([&] { generate_command(load(model), language, writing); });

  std::vector<std::string> names;
  command = add_command("classify", "tell languages of names: language, its probability, name");
  command->add_option("name", names, "names; none: lines of standard input");
  command->callback([&] { classify_command(load(model), names); });

  return apps::run(app, argc, argv, result);
}
