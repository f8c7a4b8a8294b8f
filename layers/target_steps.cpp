#include <reel/autodiff/tape.hpp>
#include <reel/layers/target_steps.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION {

namespace {

Schedule schedule_of(const Indices& tokens, std::span<const std::size_t> lengths) {
  check(tokens.dimension() == 2, "targets: tokens must be [S, B]; got {}", shape_of(tokens));
  return Schedule(tokens.shape(0), tokens.shape(1), lengths);
}

}  // namespace

TargetSteps::TargetSteps(const Indices& tokens, std::span<const std::size_t> lengths,
                         std::int64_t start)
    : schedule_(schedule_of(tokens, lengths)), start_(start) {
  check<Error>(schedule_.total() > 0, "targets: there must be a token; got {}, all of length 0",
               shape_of(tokens));
  packed_ = Indices::from_shape({schedule_.total()});
  if (schedule_.is_full()) {
    std::copy(tokens.begin(), tokens.end(), packed_.begin());
    return;
  }
  for (std::size_t i = 0; i < packed_.size(); ++i) packed_(i) = tokens.data()[schedule_.pack()(i)];
}

void TargetSteps::sort(const Parts& state) const {
  for (const Var* part : state)
    check(part->dim() > 0 && part->size(0) == schedule_.batch(),
          "targets: the state must have a row for each of {} targets; got {}", schedule_.batch(),
          part->shape());
  if (schedule_.is_full()) return;
  const auto running = static_cast<std::ptrdiff_t>(schedule_.rows_at(0));
  const auto order = std::make_shared<const Indices>(schedule_.order());
  const auto inverse = std::make_shared<const Indices>(schedule_.inverse());
  for (Var* part : state) *part = slice(detail::move_rows(*part, order, inverse), 0, 0, running);
}

void TargetSteps::keep_running(std::size_t t, const Parts& state) const {
  const std::size_t rows = schedule_.rows_at(t);
  if (rows == schedule_.rows_at(t - 1)) return;
  for (Var* part : state) *part = slice(*part, 0, 0, static_cast<std::ptrdiff_t>(rows));
}

Indices TargetSteps::first() const {
  return Indices(Indices::shape_type{schedule_.rows_at(0)}, start_);
}

Indices TargetSteps::next(std::size_t t, const Teacher& teacher,
                          const std::function<Var(const Indices& rows)>& scores) const {
  check<Error>(teacher.forced >= 0 && teacher.forced <= 1 &&
                   (teacher.random || teacher.forced == 0 || teacher.forced == 1),
               "teacher: forced must lie in [0, 1], with random numbers in between; got {}",
               teacher.forced);
  Indices tokens = Indices::from_shape({schedule_.rows_at(t)});
  std::vector<std::int64_t> own;  // rows that are fed what they say themselves
  for (std::size_t row = 0; row < tokens.size(); ++row) {
    tokens(row) = packed_(schedule_.first_row(t - 1) + row);
    const bool forced =
        teacher.forced == 1 || (teacher.forced > 0 && teacher.random->uniform() < teacher.forced);
    if (!forced) own.push_back(static_cast<std::int64_t>(row));
  }
  if (own.empty()) return tokens;
  Indices rows = Indices::from_shape({own.size()});
  std::copy(own.begin(), own.end(), rows.begin());
  const PauseRecording pause;
  const Array said = scores(rows).value();
  const std::size_t count = said.shape(1);
  for (std::size_t i = 0; i < own.size(); ++i) {
    const real* const row = said.data() + i * count;
    tokens(static_cast<std::size_t>(own[i])) = std::max_element(row, row + count) - row;
  }
  return tokens;
}

}  // namespace reel::inline REEL_PRECISION
