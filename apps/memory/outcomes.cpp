#include "outcomes.hpp"

#include <fmt/format.h>
#include <reel/data/file.hpp>
#include <reel/data/json.hpp>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace memory {
namespace {

// All that the outcome depends on.
std::string key(const Start& s, const LearningOptions& o) {
  return nlohmann::json{s.cell,          s.hidden_size,
                        s.radius,        s.forget_bias.value_or(std::numeric_limits<double>::max()),
                        s.chrono,        s.orthogonal,
                        o.problem,       o.length,
                        o.most_steps,    o.batch_size,
                        o.learning_rate, o.clip,
                        o.seed}
      .dump();
}

// JSON has no number for what a diverged network scores.
nlohmann::json to_json(const Outcome& o) {
  nlohmann::json scores = nlohmann::json::array();
  for (const double score : o.scores)
    scores.push_back(std::isfinite(score) ? nlohmann::json(score) : nlohmann::json());
  return {{"at", o.at},
          {"scores", scores},
          {"solved", o.solved},
          {"diverged", o.diverged},
          {"steps", o.steps}};
}

Outcome to_outcome(const nlohmann::json& json) {
  Outcome o{.at = json.at("at"),
            .scores = {},
            .solved = json.at("solved"),
            .diverged = json.at("diverged"),
            .steps = json.at("steps")};
  for (const auto& score : json.at("scores"))
    o.scores.push_back(score.is_null() ? std::numeric_limits<double>::quiet_NaN()
                                       : score.get<double>());
  return o;
}

}  // namespace

Outcomes::Outcomes(std::filesystem::path file, bool resume) : file_(std::move(file)) {
  if (!resume) {
    set_aside();
    return;
  }
  const std::string source = file_.string();
  const nlohmann::json json = reel::parse_json(reel::read_file(file_), source);
  try {
    for (const auto& [key, outcome] : json.items()) known_[key] = to_outcome(outcome);
  } catch (const nlohmann::json::exception& e) {
    throw reel::FileError(source + ": these are no outcomes of such a page; " + e.what());
  }
}

void Outcomes::set_aside() const {
  if (!std::filesystem::exists(file_)) return;
  std::filesystem::path aside = file_;
  aside.replace_extension(".old.json");
  std::filesystem::rename(file_, aside);
  fmt::print("an interrupted page was there, which --resume would have gone on with; now {}\n",
             aside.string());
}

Outcome Outcomes::of(const Start& start, const LearningOptions& options,
                     const std::function<Outcome()>& learn) {
  const std::string name = key(start, options);
  if (const auto at = known_.find(name); at != known_.end()) return at->second;
  Outcome outcome = learn();
  if (outcome.interrupted) return outcome;
  known_[name] = outcome;
  nlohmann::json all = nlohmann::json::object();
  for (const auto& [key, value] : known_) all[key] = to_json(value);
  reel::write_file_atomically(file_, all.dump() + "\n");
  return outcome;
}

void Outcomes::remove_file() const { std::filesystem::remove(file_); }

}  // namespace memory
