// The checks that check_cell makes.
#pragma once

#include <reel/layers/cell_answers.hpp>

#include <cmath>

namespace reel::inline REEL_PRECISION::detail {

// What a check has found: how close, or what is wrong, or why it did not run.
struct Finding {
  CellCheck::Outcome outcome = CellCheck::Outcome::kPassed;
  std::string message;
  double difference = 0;
};
inline Finding failed(std::string message) {
  return {CellCheck::Outcome::kFailed, std::move(message), INFINITY};
}
inline Finding skipped(std::string why) { return {CellCheck::Outcome::kSkipped, std::move(why)}; }
inline Finding exact() { return {CellCheck::Outcome::kPassed, "same bits"}; }
// The one that fails, or else the one with the larger difference.
inline Finding worse(Finding a, Finding b) { return a.difference >= b.difference ? a : b; }

class CellChecker {
 public:
  CellChecker(const CellCheckOptions& options, CellReport& report)
      : options_(options), random_(options.seed), report_(report) {}

  void run(const std::function<std::unique_ptr<AnyCell>()>& make);

 private:
  static constexpr std::size_t kSteps = 6;
  static inline const Lengths kRagged{3, 6, 0, 1, 6}, kFull{kSteps, kSteps, kSteps};

  template <class Check>
  bool check(const char* name, const char* rule, Check&& check);
  void find_input();
  bool takes(std::size_t width) const;

  Vars reached_state(std::size_t batch);
  CellProblem problem(const Lengths& lengths);
  CellRun layer(const CellProblem& p, AnyCell::Call call = {}) const;
  CellAnswers answers(const CellProblem& p, const CellRun& run) const {
    return answers_of(cell_->parameters, p, run);
  }
  CellAnswers answers(const CellProblem& p) const { return answers(p, layer(p)); }
  Finding compare(const CellAnswers& got, const CellAnswers& expected, const CellProblem& p,
                  bool bits = false) const;

  Finding state_shapes();
  Finding finite();
  Finding parameters();
  Finding recurrent_input();
  Finding one_step();
  Finding split();
  Finding rows();
  Finding row_order();
  Finding padding();
  Finding length_zero();
  Finding initial_state();
  Finding reversed();
  Finding streaming();
  Finding checkpointed();
  Finding hoisting();
  Finding repeatable();
  Finding recorded();
  Finding time_order();
  Finding derivatives(int order);

  const CellCheckOptions& options_;
  Random random_;
  CellReport& report_;
  std::unique_ptr<AnyCell> cell_;
  std::size_t in_ = 0;
};

}  // namespace reel::inline REEL_PRECISION::detail
