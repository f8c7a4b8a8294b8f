// Where the pool's memory comes from: regions of huge pages, cut into pieces.
#pragma once

#include <cstddef>

namespace reel::pool {

constexpr std::size_t kLine = 64;  // of the cache, bytes

// A step of a layer goes through tens of megabytes: with pages of 4 KiB, finding them takes time.
// Pieces may be given back by any thread; a region of which all has come back returns to the
// system. `bytes`: a multiple of kLine; a piece starts at a line's start.
void* take_piece(std::size_t bytes);  // throws std::bad_alloc
void give_piece(void* piece, std::size_t bytes) noexcept;

// Bytes of all regions, and of them those in no piece. None under the address sanitizer.
struct RegionStats {
  std::size_t held, free;
};
RegionStats region_stats();

}  // namespace reel::pool
