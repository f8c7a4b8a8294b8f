// Counts what asks the system for memory.
#pragma once

namespace bench {

void start_counting_mallocs();
// Calls of malloc and its kin since then, on any thread; -1 where they are not counted.
long counted_mallocs();

}  // namespace bench
