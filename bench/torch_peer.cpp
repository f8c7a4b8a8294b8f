#include "torch_peer.hpp"

#include <fmt/format.h>

#include <sstream>
#include <system_error>

#include "subprocess.hpp"

namespace bench {
namespace {

std::vector<std::string> command(const Case& what, bool custom, const std::string& python) {
  const std::string script = REEL_BENCH_DIR "/torch_peer.py";
  return {python,
          script,
          what.cell.equations,
          custom ? "custom" : "builtin",
          what.train ? "train" : "infer",
          std::to_string(what.batch),
          std::to_string(what.steps),
          std::to_string(what.input),
          std::to_string(what.hidden),
          std::to_string(what.layers),
          std::to_string(what.directions),
          std::to_string(what.threads)};
}

class Torch final : public Contestant {
 public:
  Torch(const Problem& problem, bool custom, const std::string& python)
      : what_(problem.what), process_(command(what_, custom, python)) {
    if (const std::string said = hello(); said != "ready") throw Missing(said);
    send(problem.x);
    send(problem.dy);
    for (const auto& layer : problem.layers)
      for (const Numbers* part :
           {&layer.weight_ih, &layer.weight_hh, &layer.bias_ih, &layer.bias_hh})
        send(*part);
  }

  void run(std::size_t steps, std::vector<double>& ms) override {
    process_.write_line(fmt::format("step {}", steps));
    std::istringstream line(process_.read_line());
    for (double time; line >> time;) ms.push_back(time);
  }

  Answer answer() override {
    process_.write_line("answer");
    Answer answer;
    const AnswerNames names(what_);
    for (const auto& [name, size] : names.names_and_sizes()) {
      Numbers numbers(size);
      process_.read(numbers.data(), size * sizeof(float));
      answer.emplace_back(name, std::move(numbers));
    }
    return answer;
  }

 private:
  // It says "ready" before it reads, or why it cannot.
  std::string hello() {
    try {
      return process_.read_line();
    } catch (const std::runtime_error& e) {
      return e.what();
    }
  }
  void send(const Numbers& numbers) {
    process_.write(numbers.data(), numbers.size() * sizeof(float));
  }

  Case what_;
  Subprocess process_;
};

}  // namespace

std::unique_ptr<Contestant> make_torch(const Problem& problem, bool custom,
                                       const std::string& python) {
  if (problem.what.cell.equations.empty()) throw Missing("has no " + problem.what.cell.name);
  try {
    return std::make_unique<Torch>(problem, custom, python);
  } catch (const std::system_error& e) {
    throw Missing(fmt::format("cannot run {}: {}", python, e.code().message()));
  }
}

}  // namespace bench
