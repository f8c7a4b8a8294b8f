// reel-music: learns which notes follow which, and makes up more of the kind as a MIDI file.
#include <fmt/format.h>
#include <reel/data/file.hpp>
#include <reel/data/midi.hpp>

#include "../common/run.hpp"
#include "page.hpp"
#include "training.hpp"

namespace {

using namespace music;

constexpr const char* kDataHelp = "JSON with piano rolls: train, valid, test";

struct TrainCommand {
  std::string data;
  Settings settings;
  std::size_t transpose = 5;
  apps::TrainingOptions options;

  TrainCommand() {
    options.epochs = 70;
    options.batch_size = 2;
    options.learning_rate = 2e-3;
    options.clip = 1;
  }

  void add_options(CLI::App& command) {
    command.add_option("--data", data, kDataHelp)->required();
    options.add_options(command);
    apps::add_choice(command, "--cell", settings.cell, {"lstm", "gru"}, "recurrent cell");
    apps::add_number(command, "--hidden", settings.hidden_size, std::size_t{1}, kLargestSize,
                     "width of the recurrent state");
    apps::add_number(command, "--layers", settings.layers, std::size_t{1}, kMostLayers,
                     "recurrent layers on top of each other");
    apps::add_share(command, "--dropout", settings.dropout, "of what a layer gives");
    apps::add_number(command, "--transpose", transpose, std::size_t{0}, std::size_t{48},
                     "each piece is moved by at most so many semitones while training");
  }

  int run(const CLI::App& command) {
    const reel::PianoRolls rolls = reel::read_piano_rolls(data);
    reel::Random random(options.seed);
    Model model(settings, random);
    fmt::print("{} pieces to learn from, {} to choose the epoch on\n{}", rolls.train.size(),
               rolls.valid.size(), reel::describe(model));

    options.prepare(command);
    apps::Report report("reel-music");
    const bool complete = train(model, rolls, transpose, options, report);
    save(options.folder, settings, model);
    options.model_saved(complete);
    if (!options.report.empty()) {
      add_piece(report, model, rolls.valid[0]);
      report.write(options.report);
    }
    return complete ? 0 : apps::kInterrupted;
  }
};

int evaluate_command(const std::string& folder, const std::string& data, const std::string& part) {
  const Model model = load(folder);
  const reel::PianoRolls all = reel::read_piano_rolls(data);
  const auto& rolls = part == "train" ? all.train : part == "valid" ? all.valid : all.test;
  const Score score = evaluate(model, rolls);
  const Baselines without = baselines(all.train, rolls);
  fmt::print("{}: {} pieces  nll {:.4f} per step, {:.4f} after the first  accuracy {:.4f}\n", part,
             rolls.size(), score.nll, score.nll_later, score.accuracy);
  fmt::print(
      "without a network: nll {:.4f} by each key's share, {:.4f} by its share after what "
      "it did last\n",
      without.share, without.share_after_last);
  return 0;
}

struct GenerateCommand {
  std::string model, out, data;
  std::size_t steps = 64, prime = 8, piece = 1;
  double temperature = 0.8;
  std::uint64_t seed = 1;
  reel::MidiOptions midi;

  void add_options(CLI::App& command) {
    command.add_option("--model", model, "folder of the model")->required();
    command.add_option("--out", out, "MIDI file to write")->required();
    const auto number = [&](const char* name, auto& value, auto low, auto high, const char* help) {
      apps::add_number(command, name, value, low, high, help);
    };
    number("--steps", steps, std::size_t{1}, std::size_t{1} << 16, "to make up");
    number("--temperature", temperature, 0.01, 100.0, "below 1: less is dared");
    command.add_option("--seed", seed, "of what is drawn")->capture_default_str();
    command.add_option("--data", data, "piano rolls; begins with steps of one of test");
    apps::add_size(command, "--piece", piece, "with --data: which");
    number("--prime", prime, std::size_t{1}, std::size_t{1} << 16, "with --data: how many steps");
    number("--tempo", midi.beats_per_minute, 4.0, 1000.0, "beats a minute");
    number("--steps-per-beat", midi.steps_per_beat, 1.0 / 64, 480.0, "2: steps are eighths");
    number("--program", midi.program, 0, 127, "General MIDI instrument; 19: church organ");
  }

  int run() const {
    const Model learned = load(model);
    reel::PianoRoll start;
    if (!data.empty()) {
      const auto pieces = reel::read_piano_rolls(data).test;
      reel::check<reel::FileError>(piece <= pieces.size(), "{}: test has {} pieces; found no {}",
                                   data, pieces.size(), piece);
      start = pieces[piece - 1];
      start.resize(std::min(prime, start.size()));
    }
    reel::Random random(seed);
    const reel::PianoRoll roll = learned.generate(start, steps, temperature, random);
    reel::write_file_atomically(out, reel::to_midi(roll, midi));
    fmt::print("{} steps written to {}\n", roll.size(), out);
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Learns polyphonic music with a recurrent network.", "reel-music");
  app.require_subcommand(1);
  int result = 0;

  TrainCommand train;
  CLI::App* command = app.add_subcommand("train", "learn from piano rolls, save the model");
  train.add_options(*command);
  command->callback([&, command] { result = train.run(*command); });

  std::string model, data, part = "test";
  command = app.add_subcommand("eval", "measure a model on a part of piano rolls");
  command->add_option("--model", model, "folder of the model")->required();
  command->add_option("--data", data, kDataHelp)->required();
  apps::add_choice(*command, "--part", part, {"train", "valid", "test"}, "train, valid or test");
  command->callback([&] { result = evaluate_command(model, data, part); });

  GenerateCommand generate;
  command = app.add_subcommand("generate", "make up music, as a MIDI file");
  generate.add_options(*command);
  command->callback([&] { result = generate.run(); });

  return apps::run(app, argc, argv, result);
}
