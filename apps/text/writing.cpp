#include "writing.hpp"

#include <fmt/format.h>

namespace text {

using namespace reel;

std::string Typesetter::next(const std::string& token) {
  if (!words_) return token;
  static const std::string closing = ".,;:!?)]}”’", opening = "([{“‘";
  const bool line_end = token == "\n";
  const bool glued = glued_ || line_end || closing.find(token) != closing.npos;
  glued_ = line_end || opening.find(token) != opening.npos;
  return (glued ? "" : " ") + token;
}

std::string write(const LanguageModel& lm, const WritingOptions& options, std::FILE* file) {
  const std::vector<std::int64_t> prompt = lm.encode(options.prompt);
  check<Error>(!prompt.empty(), "prompt: there must be a token; got {:?}", options.prompt);
  Typesetter typesetter(lm.settings.level);
  std::string all;
  const auto show = [&](const std::string& token) {
    const std::string shown = typesetter.next(token);
    all += shown;
    if (!file) return;
    fmt::print(file, "{}", shown);
    std::fflush(file);
  };
  for (const std::string& token : split_text(options.prompt, lm.settings)) show(token);

  Model::State state;
  if (prompt.size() > 1) {
    Indices before(Indices::shape_type{prompt.size() - 1, 1});
    std::copy(prompt.begin(), prompt.end() - 1, before.begin());
    lm.model(before, state, nullptr);
  }
  StateSteps steps(state, [&](const Indices& tokens, Model::State now) {
    Indices column = tokens;
    column.reshape({1, tokens.size()});
    const Var h = lm.model(column, now, nullptr);
    const Var scores = lm.model.log_probabilities(index(h, 0, 0));
    return std::pair{apps::without_specials(scores), now};
  });
  DecodeOptions how{.start = {prompt.back()}, .limit = {options.length}};
  if (options.decoder != "beam")
    how.on_token = [&](std::size_t, std::int64_t token) {
      show(lm.vocabulary.token(token));
      return true;
    };
  const Hypothesis best = options(steps, how)[0][0];
  if (!how.on_token)
    for (const std::int64_t token : best.tokens) show(lm.vocabulary.token(token));
  if (file) fmt::print(file, "\n");
  return all;
}

}  // namespace text
