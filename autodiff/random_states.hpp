// Where random streams stood, so that the same numbers can be drawn again.
#pragma once

#include <reel/autodiff/pool.hpp>
#include <reel/autodiff/random.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace reel {

// The states of some Randoms at one moment.
class RandomStates {
 public:
  // Where `random` stands now, unless it has an entry.
  void note(Random& random) {
    if (!has(random)) entries_.push_back({&random, random});
  }
  // Where the Randoms of `others` stand now.
  void note(const RandomStates& others) {
    for (const Entry& other : others.entries_) note(*other.random);
  }
  // What happened later: counts only for Randoms without an entry.
  void merge(const RandomStates& later) {
    for (const Entry& entry : later.entries_)
      if (!has(*entry.random)) entries_.push_back(entry);
  }
  void forget(const Random& random) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.random == &random; });
  }
  // Puts all of them back.
  void rewind() const {
    for (const Entry& entry : entries_) *entry.random = entry.state;
  }
  bool has(const Random& random) const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&](const Entry& entry) { return entry.random == &random; });
  }
  std::size_t bytes() const { return entries_.size() * sizeof(Entry); }

 private:
  struct Entry {
    Random* random;
    Random state;
  };
  std::vector<Entry, PoolAllocator<Entry>> entries_;
};

// While it lives, `states` takes down where each Random stood that draws on this thread, before
// its first draw. A Random that ends meanwhile is left out: it is made and drawn from again.
class NoteDraws final : public DrawWatcher {
 public:
  explicit NoteDraws(RandomStates& states)
      : states_(states), outer_(std::exchange(DrawWatcher::current, this)) {}
  ~NoteDraws() { DrawWatcher::current = outer_; }
  NoteDraws(const NoteDraws&) = delete;
  NoteDraws& operator=(const NoteDraws&) = delete;

 private:
  void before_draw(Random& random) override {
    if (&random == last_) return;
    last_ = &random;
    // A copy that ends must not be heard of, nor one that is made.
    DrawWatcher* const here = std::exchange(DrawWatcher::current, nullptr);
    states_.note(random);
    DrawWatcher::current = here;
    if (outer_) outer_->before_draw(random);
  }
  void before_end(const Random& random) override {
    if (&random == last_) last_ = nullptr;
    DrawWatcher* const here = std::exchange(DrawWatcher::current, nullptr);
    states_.forget(random);
    DrawWatcher::current = here;
    if (outer_) outer_->before_end(random);
  }

  RandomStates& states_;
  DrawWatcher* outer_;
  const Random* last_ = nullptr;
};

}  // namespace reel
