// The stage costs of all steps of a problem with one device.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bess/large_vector.hpp"
#include "bess/problem.hpp"
#include "bess/stage_cost.hpp"

namespace bess {

// Equally good changes of stored energy, and their cost less what they are worth.
struct BestChanges {
  double low;
  double high;
  double cost;
};

// Keeps its room, to be built again.
//
// Where energy is lost by self-discharge, the costs are functions of a number of units of stored
// energy that shrink as it does: idling leaves the number as it is, so what is said of stored
// energy holds of it without a word on losses, and slopes that were equal stay so. To keep units of
// a size, one is doubled now and then, which halves the number, and rounds nothing.
class StageCosts {
 public:
  // Rows of segments are filled up to a multiple of this with segments of infinite slope and no
  // width, so that most steps are walked without a branch that depends on their count.
  static constexpr std::size_t kRow = 4;

  // False where load above the import limit cannot be served. O(steps).
  bool build(const Problem& problem);

  // Puts another cost in the place of step `t`'s, until `restore`; not twice.
  void replace(std::size_t t, const StageCost& cost, std::span<const CostSegment> segments);
  void restore();
  // Puts their convex hulls in the place of all, for good.
  void make_convex();

  std::size_t steps() const { return costs_.size(); }
  const StageCost& operator[](std::size_t t) const { return costs_[t]; }
  std::span<const CostSegment> segments(std::size_t t) const {
    return {segments_.data() + costs_[t].first, costs_[t].count};
  }
  // The changes at which f(x) - worth * x is least. Requires: the step is convex.
  BestChanges best_changes(std::size_t t, double worth) const;
  bool lossy() const { return !unit_.empty(); }
  // Of a lossy problem: kWh DC of a unit before step t, t = 0 .. steps; the change in step t counts
  // in those after it. The first is 1, all are from 1/2 to 1.
  double unit(std::size_t t) const { return unit_[t]; }
  // The units that step t leaves of one: 1, or a power of 1/2.
  double left(std::size_t t) const { return left_[t]; }
  std::size_t kinks() const { return kinks_; }   // steps that are not convex
  double steepest() const { return steepest_; }  // slope, where there are kinks

 private:
  struct Replaced {
    std::size_t step;
    StageCost cost;
  };

  static constexpr std::size_t filled(std::size_t count) {
    return (count + kRow - 1) / kRow * kRow;
  }
  void count_in_units(double retention);

  std::size_t end_ = 0;  // of the segments built
  std::size_t built_kinks_ = 0;
  double built_steepest_ = 0;
  std::size_t replaced_end_ = 0;
  std::vector<Replaced> replaced_;
  LargeVector<StageCost> costs_;
  LargeVector<CostSegment> segments_;
  LargeVector<double> unit_;
  LargeVector<double> left_;
  std::size_t kinks_ = 0;
  double steepest_ = 0;
};

// Without branches: where prices are irregular, none would be foreseen.
inline BestChanges StageCosts::best_changes(std::size_t t, double worth) const {
  const StageCost& f = costs_[t];
  const CostSegment* const first = segments_.data() + f.first;
  double cost = f.cost_at_least - worth * f.least;
  double from = f.least;
  std::size_t better = 0;  // segments that are worth more than they cost
  std::size_t no_worse = 0;
  for (const CostSegment* row = first; row < first + f.count; row += kRow) {
    for (std::size_t k = 0; k < kRow; ++k) {
      const double loss = row[k].slope - worth;
      better += loss < 0 ? 1 : 0;
      no_worse += loss <= 0 ? 1 : 0;
      cost += (loss < 0 ? loss : 0.0) * (row[k].end - from);
      from = row[k].end;
    }
  }
  return {better > 0 ? first[better - 1].end : f.least,
          no_worse > 0 ? first[no_worse - 1].end : f.least, cost};
}

}  // namespace bess
