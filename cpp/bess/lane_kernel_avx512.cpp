// Compiled for AVX-512: runs only where widest_instruction_set() says so.
#include "bess/lane_kernel_source.hpp"

namespace bess {

void work_lanes_avx512(const LaneProgram& program, const double* reach,
                       const LaneCorridor& corridor, LaneBlock& block, LaneBin* bins) {
  work_lanes(program, reach, corridor, block, bins);
}

}  // namespace bess
