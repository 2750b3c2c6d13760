// For what every machine of its kind has.
#include "bess/lane_kernel_source.hpp"

namespace bess {

void work_lanes_baseline(const LaneProgram& program, const double* reach,
                         const LaneCorridor& corridor, LaneBlock& block, LaneBin* bins) {
  work_lanes(program, reach, corridor, block, bins);
}

}  // namespace bess
