#include <fmt/format.h>
#include <reel/autodiff/scope.hpp>
#include <reel/layers/stream.hpp>

#include <algorithm>
#include <cstring>

namespace reel::inline REEL_PRECISION::detail {

StreamCore::StreamCore(std::string path, std::size_t batch, std::size_t in,
                       std::vector<Array> start, Step step)
    : waiting_(start) {
  plan_ =
      std::make_shared<const Plan>(Plan{std::move(path), batch, std::move(start), std::move(step)});
  const Scope scope(plan_->path);
  check(batch > 0, "stream: there must be at least one row");
  if (in > 0) record(in);
}

// What has been moved from has no program, so that a step need not ask.
StreamCore& StreamCore::operator=(StreamCore&& other) noexcept {
  if (this == &other) return *this;
  plan_ = std::move(other.plan_);
  waiting_ = std::move(other.waiting_);
  program_ = std::exchange(other.program_, std::nullopt);
  return *this;
}

void StreamCore::check_not_moved() const {
  check<Error>(static_cast<bool>(plan_), "stream: it has been moved from");
}

void StreamCore::check_rows(bool ok, std::size_t numbers) const {
  if (ok) [[likely]]
    return;
  check_not_moved();
  const Scope scope(plan_->path);
  if (program_)
    check(false, "stream: x must be {}; got {} numbers", program_->input(0).shape, numbers);
  check(false, "stream: x must have {} rows; got {} numbers", plan_->batch, numbers);
}

void StreamCore::record(std::size_t in) {
  const Scope scope(plan_->path);
  std::vector<Array> inputs{full_array({plan_->batch, in}, 0)};
  inputs.insert(inputs.end(), waiting_.begin(), waiting_.end());
  std::vector<int> feedback{-1};  // output 0 is the output; of the others, i is the next input i
  for (std::size_t i = 0; i < plan_->start.size(); ++i) feedback.push_back(static_cast<int>(i) + 1);
  const auto checked = [&](std::span<const Var> xs) {
    std::vector<Var> ys = plan_->step(xs);
    check(ys.size() == xs.size(), "stream: a step must keep the number of state parts; got {}, {}",
          xs.size() - 1, ys.size() - 1);
    return ys;
  };
  program_.emplace(inputs, checked, feedback);
  waiting_.clear();
}

std::span<const real> StreamCore::step(std::span<const real> x) {
  if (!program_) [[unlikely]] {
    check_rows(plan_ && !x.empty() && x.size() % plan_->batch == 0, x.size());
    record(x.size() / plan_->batch);
  }
  const View& in = program_->input(0);
  check_rows(x.size() == in.size(), x.size());
  std::memcpy(in.data, x.data(), x.size_bytes());
  program_->run();
  const View& out = program_->output(0);
  return {out.data, out.size()};
}

Array StreamCore::step(const Array& x) {
  check_not_moved();
  {
    const Scope scope(plan_->path);
    const Shape shape = shape_of(x);
    check(shape.size() == 2 && shape[0] == plan_->batch &&
              (!program_ || shape == program_->input(0).shape),
          "stream: x must be [{}, {}]; got {}", plan_->batch,
          program_ ? fmt::to_string(program_->input(0).shape[1]) : "in", shape);
  }
  step(std::span(x.data(), x.size()));
  return to_array(program_->output(0));
}

void StreamCore::put_state(const std::vector<Array>& parts) {
  if (!program_) {
    waiting_ = parts;
    return;
  }
  for (std::size_t i = 0; i < parts.size(); ++i)
    std::copy(parts[i].begin(), parts[i].end(), program_->input(i + 1).data);
}

void StreamCore::reset() {
  check_not_moved();
  put_state(plan_->start);
}

std::vector<Array> StreamCore::state() const {
  check_not_moved();
  if (!program_) return waiting_;
  std::vector<Array> parts;
  for (std::size_t i = 0; i < plan_->start.size(); ++i)
    parts.push_back(to_array(program_->input(i + 1)));
  return parts;
}

void StreamCore::set_state(std::span<const Var* const> parts) {
  check_not_moved();
  const Scope scope(plan_->path);
  const std::vector<Array>& start = plan_->start;
  check(parts.size() == start.size(), "stream: the state must have {} parts; got {}", start.size(),
        parts.size());
  std::vector<Array> arrays;
  for (std::size_t i = 0; i < start.size(); ++i) {
    const Shape shape = shape_of(start[i]);
    check(parts[i]->shape() == shape, "stream: part {} of the state must be {}; got {}", i, shape,
          parts[i]->shape());
    arrays.push_back(parts[i]->value());
  }
  put_state(arrays);
}

}  // namespace reel::inline REEL_PRECISION::detail
