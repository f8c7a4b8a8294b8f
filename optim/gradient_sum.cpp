#include <reel/optim/gradient_sum.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION {

void GradientSum::operator()(std::span<GradientStore> stores, Workers& workers) {
  collect(stores);
  pieces_.clear();
  for (Entry& entry : entries_)
    if (std::any_of(entry.parts.begin(), entry.parts.end(), [](auto* part) { return part; }))
      plan(entry);
  workers.run(pieces_.size(), [&](std::size_t i) { add(pieces_[i]); });
  for (GradientStore& store : stores) store.clear();
}

void GradientSum::collect(std::span<GradientStore> stores) {
  for (Entry& entry : entries_) entry.parts.assign(stores.size(), nullptr);
  for (std::size_t s = 0; s < stores.size(); ++s)
    for (auto& [parameter, gradient] : stores[s]) {
      if (!gradient.exists()) continue;
      const auto [at, added] = index_.try_emplace(parameter, entries_.size());
      if (added) entries_.push_back({parameter, std::vector<Gradient*>(stores.size()), {}, false});
      entries_[at->second].parts[s] = &gradient;
    }
}

void GradientSum::plan(Entry& entry) {
  constexpr std::size_t kPiece = 16384;  // elements that a worker adds at a time
  std::vector<Gradient*>& parts = entry.parts;
  Gradient& result = entry.parameter->gradient();
  const Shape shape = entry.parameter->shape();
  entry.additions.clear();
  for (std::size_t stride = 1; stride < parts.size(); stride *= 2)
    for (std::size_t s = 0; s + stride < parts.size(); s += 2 * stride) {
      Gradient* const other = parts[s + stride];
      if (parts[s] && other) {
        parts[s]->claim_like(shape, *other);
        entry.additions.push_back({parts[s]->data(), other->data()});
      } else if (other) {
        parts[s] = other;
      }
    }
  entry.overwrite = !result.claim_like(shape, *parts[0]);
  entry.additions.push_back({result.data(), parts[0]->data()});

  const std::size_t count = result.is_sparse() ? result.reached_rows().size() : result.size();
  const std::size_t step =
      result.is_sparse()
          ? std::max<std::size_t>(kPiece / std::max<std::size_t>(result.width(), 1), 1)
          : kPiece;
  for (std::size_t begin = 0; begin < count; begin += step)
    pieces_.push_back({&entry, begin, std::min(begin + step, count)});
}

void GradientSum::add(const Piece& piece) {
  const Entry& entry = *piece.entry;
  const Gradient& result = entry.parameter->gradient();
  if (!result.is_sparse()) return add_elements(entry, piece.begin, piece.end);
  for (std::size_t i = piece.begin; i < piece.end; ++i) {
    const std::size_t first = result.reached_rows()[i] * result.width();
    add_elements(entry, first, first + result.width());
  }
}

void GradientSum::add_elements(const Entry& entry, std::size_t begin, std::size_t end) {
  constexpr std::size_t kBlock = 1024;  // so much of every part stays in the nearest cache
  for (; begin < end; begin += kBlock) {
    const std::size_t count = std::min(kBlock, end - begin);
    for (const Addition& addition : entry.additions) {
      real* to = addition.to + begin;
      const real* from = addition.from + begin;
      if (entry.overwrite && &addition == &entry.additions.back())
        std::copy_n(from, count, to);
      else
        for (std::size_t i = 0; i < count; ++i) to[i] += from[i];
    }
  }
}

}  // namespace reel::inline REEL_PRECISION
