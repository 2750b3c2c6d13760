// For what every machine of its kind has.
#include "bess/lane_kernel_source.hpp"

namespace bess {

void work_lanes_baseline(const LaneRun* runs, std::size_t count, const LaneSeries& series,
                         const double* reach, bool priced, LaneBlock& block, LaneBin* bins) {
  work_lanes(runs, count, series, reach, priced, block, bins);
}

}  // namespace bess
