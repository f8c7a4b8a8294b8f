#include <reel/optim/gradient_sum.hpp>

#include <algorithm>
#include <array>
#include <bit>

namespace reel::inline REEL_PRECISION {
namespace {

constexpr std::size_t kPiece = 16384;  // elements that a worker adds at a time
constexpr std::size_t kBlock = 1024;   // and of these, at a time in the nearest cache

// sum = elements first .. first + count - 1 of the parts, as a tree; false if there is no part.
bool sum_tree(std::span<const Gradient* const> parts, std::size_t first, std::size_t count,
              real* sum) {
  if (parts.size() == 1) {
    if (parts[0]) std::copy_n(parts[0]->array().data() + first, count, sum);
    return parts[0] != nullptr;
  }
  const std::size_t half = std::bit_ceil(parts.size()) / 2;
  const bool left = sum_tree(parts.first(half), first, count, sum);
  if (!left) return sum_tree(parts.subspan(half), first, count, sum);
  std::array<real, kBlock> right;
  if (sum_tree(parts.subspan(half), first, count, right.data()))
    for (std::size_t i = 0; i < count; ++i) sum[i] += right[i];
  return true;
}

}  // namespace

void GradientSum::operator()(std::span<GradientStore> stores, Workers& workers) {
  collect(stores);
  pieces_.clear();
  for (Entry& entry : entries_) plan(entry);
  workers.run(pieces_.size(), [&](std::size_t i) { add(pieces_[i]); });
  for (GradientStore& store : stores) store.clear();
}

void GradientSum::collect(std::span<GradientStore> stores) {
  for (Entry& entry : entries_) entry.parts.assign(stores.size(), nullptr);
  for (std::size_t s = 0; s < stores.size(); ++s)
    for (auto& [parameter, gradient] : stores[s]) {
      if (!gradient.exists()) continue;
      const auto [at, added] = index_.try_emplace(parameter, entries_.size());
      if (added)
        entries_.push_back({parameter, std::vector<const Gradient*>(stores.size()), false});
      entries_[at->second].parts[s] = &gradient;
    }
}

// Makes room for the sum, and cuts the adding into pieces.
void GradientSum::plan(Entry& entry) {
  bool any = false;
  for (const Gradient* part : entry.parts) {
    if (!part) continue;
    const bool adds = entry.parameter->gradient().claim_like(entry.parameter->shape(), *part);
    if (!std::exchange(any, true)) entry.overwrite = !adds;
  }
  if (!any) return;
  const Gradient& result = entry.parameter->gradient();
  const bool rows = result.is_sparse();
  const std::size_t count = rows ? result.reached_rows().size() : result.size();
  const std::size_t step = rows ? 1 + kPiece / (1 + result.width()) : kPiece;
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
  std::array<real, kBlock> sum;
  for (; begin < end; begin += kBlock) {
    const std::size_t count = std::min(kBlock, end - begin);
    sum_tree(entry.parts, begin, count, sum.data());
    real* to = entry.parameter->gradient().data() + begin;
    if (entry.overwrite)
      std::copy_n(sum.data(), count, to);
    else
      for (std::size_t i = 0; i < count; ++i) to[i] += sum[i];
  }
}

}  // namespace reel::inline REEL_PRECISION
