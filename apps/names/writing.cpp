#include <fmt/format.h>
#include "model.hpp"

namespace names {

using namespace reel;

namespace {
constexpr std::size_t kLongest = 30;
}

std::vector<std::string> write(const Model& model, std::size_t language,
                               const WritingOptions& options) {
  const auto* writer = std::get_if<Writer>(&model.network.either);
  check<Error>(writer, "this model classifies names; for the other task train --task generate");
  std::vector<std::int64_t> prompt = model.encode(options.prompt);
  prompt.pop_back();  // the edge at the end
  const bool many = options.decoder == "sample";
  const std::size_t rows = many ? options.count : 1;
  const auto in_rows = [](std::size_t count, std::int64_t value) {
    return Indices(Indices::shape_type{count}, value);
  };
  const auto of_language = static_cast<std::int64_t>(language);
  const auto next = [&](const Indices& tokens, const Writer::State& state) {
    auto [logits, after] = writer->step(tokens, in_rows(tokens.size(), of_language), state);
    return std::pair{apps::without_specials(logits), after};
  };
  Writer::State state = writer->recurrent.initial_state(rows);
  for (std::size_t i = 0; i + 1 < prompt.size(); ++i)
    state = next(in_rows(rows, prompt[i]), state).second;

  StateSteps steps(state, next);
  const DecodeOptions how{.start = std::vector(rows, prompt.back()),
                          .end = model.letters.index(kEdge),
                          .limit = {kLongest}};
  apps::Decoding decoding = options;
  decoding.beam.width = std::max(decoding.beam.width, options.count);
  decoding.beam.n_best = options.count;
  std::vector<std::string> names;
  for (const auto& hypotheses : decoding(steps, how))
    for (const Hypothesis& hypothesis : hypotheses) {
      std::string& name = names.emplace_back(options.prompt);
      for (const std::int64_t token : hypothesis.tokens) name += model.letters.token(token);
    }
  return names;
}

std::vector<std::vector<std::string>> some_of_each(const Model& model) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t l = 0; l < model.languages.size(); ++l)
    rows.push_back({model.languages[l], fmt::format("{}", fmt::join(write(model, l, {}), ", "))});
  return rows;
}

}  // namespace names
