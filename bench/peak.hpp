// A large product of reel's own, for measuring a step's products by.
#pragma once

namespace bench {

// GFLOP/s of one product [1024, 1024] x [1024, 1024] through reel's seam, on one thread.
double gflops_of_large_product();

}  // namespace bench
