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

std::string weighed(const Classifier& classifier, const std::string& text, std::size_t label,
                    bool terminal) {
  const std::vector<std::int64_t> sequence = classifier.encode(text);
  const std::vector<double> weights = classifier.weigh(sequence, label);
  const std::vector<std::string> words = reel::tokenize(text);
  double most = 1;
  for (const double weight : weights) most = std::max(most, std::abs(weight));
  std::string shown;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    shown += i == 0 ? "  " : terminal ? " " : "  ";
    if (!terminal) {
      shown += fmt::format("{} {:+.2f}", words[i], weights[i]);
      continue;
    }
    const auto strength = static_cast<std::uint8_t>(255 * std::abs(weights[i]) / most);
    const auto rest = static_cast<std::uint8_t>(255 - strength);
    const fmt::rgb colour = weights[i] > 0 ? fmt::rgb(rest, 255, rest) : fmt::rgb(255, rest, rest);
    shown += fmt::format(fmt::bg(colour) | fmt::fg(fmt::rgb(0, 0, 0)), "{}", words[i]);
  }
  return shown;
}

}  // namespace sentiment
