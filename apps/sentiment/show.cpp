#include "show.hpp"

#include <fmt/color.h>

#include <algorithm>
#include <cmath>

namespace sentiment {

std::string summary(const Score& score) {
  return fmt::format("{} texts  loss {:.6f}  accuracy {:.4f}  macro-F1 {:.4f}",
                     score.confusion.total(), score.loss, score.confusion.accuracy(),
                     score.confusion.macro_f1());
}

std::string table(const Score& score, const std::vector<std::string>& classes) {
  const reel::Confusion& confusion = score.confusion;
  std::size_t width = 8;
  for (const std::string& name : classes) width = std::max(width, name.size() + 1);
  std::string text = fmt::format("{:{}}{:>10}{:>8}{:>8}   told to be", "class", width, "precision",
                                 "recall", "F1");
  for (const std::string& name : classes) text += fmt::format("{:>{}}", name, width);
  for (std::size_t truth = 0; truth < classes.size(); ++truth) {
    text +=
        fmt::format("\n{:{}}{:>10.4f}{:>8.4f}{:>8.4f}{:13}", classes[truth], width,
                    confusion.precision(truth), confusion.recall(truth), confusion.f1(truth), "");
    for (std::size_t told = 0; told < classes.size(); ++told)
      text += fmt::format("{:>{}}", confusion.count(truth, told), width);
  }
  return text;
}

namespace {

double largest(const WeighedWords& words) {
  double most = 1;
  for (const auto& [word, weight] : words) most = std::max(most, std::abs(weight));
  return most;
}

}  // namespace

WeighedWords weigh_words(const Classifier& classifier, const std::vector<std::int64_t>& sequence,
                         std::size_t label) {
  const std::vector<double> weights = classifier.weigh(sequence, label);
  WeighedWords words;
  for (std::size_t i = 0; i < sequence.size(); ++i)
    words.emplace_back(classifier.vocabulary.token(sequence[i]), weights[i]);
  return words;
}

std::string plain(const WeighedWords& words) {
  std::string text;
  for (const auto& [word, weight] : words) text += fmt::format("  {} {:+.2f}", word, weight);
  return text;
}

std::string coloured(const WeighedWords& words) {
  std::string text = " ";
  for (const auto& [word, weight] : words) {
    const auto rest = static_cast<std::uint8_t>(255 * (1 - std::abs(weight) / largest(words)));
    const fmt::rgb colour = weight > 0 ? fmt::rgb(rest, 255, rest) : fmt::rgb(255, rest, rest);
    text += " " + fmt::format(fmt::bg(colour) | fmt::fg(fmt::rgb(0, 0, 0)), "{}", word);
  }
  return text;
}

void add_examples(apps::Report& report, const Classifier& classifier, const Examples& examples) {
  constexpr std::size_t kShown = 12;
  if (examples.labels.empty()) return;
  report.heading("Examples");
  report.preformatted(table(evaluate(classifier, examples), classifier.classes));
  report.paragraph(
      "Texts that were not learned from, with what each word adds to the log odds of the label "
      "that "
      "was given: green for it, red against it.");
  const std::size_t every = std::max(examples.labels.size() / kShown, std::size_t{1});
  for (std::size_t i = 0; i < examples.labels.size(); i += every) {
    const auto [label, probabilities] = classifier.predict({examples.sequences[i]})[0];
    WeighedWords words = weigh_words(classifier, examples.sequences[i], label);
    const double most = largest(words);
    for (auto& [word, weight] : words) weight /= most;
    report.paragraph(fmt::format("{}, probability {:.2f}; it is {}", classifier.classes[label],
                                 probabilities[label],
                                 classifier.classes[static_cast<std::size_t>(examples.labels[i])]));
    report.words(words);
  }
}

}  // namespace sentiment
