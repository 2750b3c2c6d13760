// Compiled for AVX-512: runs only where widest_instruction_set() says so.
#include "bess/lane_kernel_source.hpp"

namespace bess {

void work_lanes_avx512(const LaneRun* runs, std::size_t count, const LaneSeries& series,
                       const double* reach, bool priced, LaneBlock& block, LaneBin* bins) {
  work_lanes(runs, count, series, reach, priced, block, bins);
}

}  // namespace bess
