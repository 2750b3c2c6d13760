// Value functions of stored energy that need not be convex: what one step makes of them, and the
// change of stored energy that is best in it.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "bess/piecewise_linear.hpp"
#include "bess/stage_cost.hpp"

namespace bess {

// A stage cost's convex pieces by their corners (change of stored energy, cost).
class CostPieces {
 public:
  struct Corner {
    double change;
    double cost;
    double slope;  // behind the corner, within the piece
  };

  CostPieces(const StageCost& cost, std::span<const CostSegment> segments);

  std::size_t count() const { return count_; }
  std::span<const Corner> piece(std::size_t i) const {
    return {corners_.data() + first_[i], first_[i + 1] - first_[i]};
  }

 private:
  static constexpr std::size_t kMost = 2 * StageCostBuilder::kMostSegments + 2;
  std::array<Corner, kMost> corners_;
  std::array<std::size_t, kMost> first_;
  std::size_t count_ = 0;
};

// The function s -> min over x of cost(x) + later(s + x), on [low, high], the interval on which it
// is defined within the limits. O(segments * pieces). `scratch` is room to work in.
void add_step(const CostPieces& cost, const FunctionView& later, double low, double high,
              const Tolerances& tolerances, PiecewiseLinear& scratch, Envelope& envelope);

// Energies nearer to a corner than this part of the width tolerance are at it: where a function
// jumps it matters on which side they are, and rounding must not decide.
inline constexpr double kSameCorner = 1e-2;

// The energy that is best stored after a step with s before it: of equal ones the nearest. Where it
// is at the end of a segment of `later`, which may be a point, it is that end and no rounding of
// it.
double best_energy(const CostPieces& cost, const FunctionView& later, double s,
                   const Tolerances& tolerances);

}  // namespace bess
