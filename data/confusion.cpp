#include <reel/autodiff/error.hpp>
#include <reel/data/confusion.hpp>

#include <numeric>

namespace reel {
namespace {

double ratio(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::size_t Confusion::place(std::size_t truth, std::size_t told) const {
  check<Error>(truth < classes_ && told < classes_, "confusion: classes are below {}; got {}, {}",
               classes_, truth, told);
  return truth * classes_ + told;
}

std::size_t Confusion::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::size_t{0});
}

std::size_t Confusion::told(std::size_t label) const {
  std::size_t sum = 0;
  for (std::size_t truth = 0; truth < classes_; ++truth) sum += count(truth, label);
  return sum;
}

std::size_t Confusion::truly(std::size_t label) const {
  std::size_t sum = 0;
  for (std::size_t told = 0; told < classes_; ++told) sum += count(label, told);
  return sum;
}

double Confusion::accuracy() const {
  std::size_t right = 0;
  for (std::size_t label = 0; label < classes_; ++label) right += count(label, label);
  return ratio(right, total());
}

double Confusion::precision(std::size_t label) const {
  return ratio(count(label, label), told(label));
}
double Confusion::recall(std::size_t label) const {
  return ratio(count(label, label), truly(label));
}
double Confusion::f1(std::size_t label) const {
  return ratio(2 * count(label, label), told(label) + truly(label));
}

double Confusion::macro_f1() const {
  double sum = 0;
  for (std::size_t label = 0; label < classes_; ++label) sum += f1(label);
  return classes_ == 0 ? 0 : sum / static_cast<double>(classes_);
}

}  // namespace reel
