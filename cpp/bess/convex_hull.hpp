// The greatest convex function that is nowhere above a stage cost.
#pragma once

#include <span>

#include "bess/stage_cost.hpp"

namespace bess {

// Writes its segments to `out`, no more than there are of `cost`, and returns it; `first` is the
// caller's. O(segments).
StageCost convex_hull(const StageCost& cost, std::span<const CostSegment> segments,
                      CostSegment* out);

}  // namespace bess
