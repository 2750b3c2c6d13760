// The least cost of one step as a piecewise-linear function of the change of stored energy.
//
// f(x) is the least of import_price * import - export_price * export + degradation over the flows
// of flows.hpp that change the stored energy by x, where the battery either charges or discharges
// and the meter either imports or exports. It is defined on one interval. It is convex but for a
// kink where the meter turns (export price above import price), at 0 (negative import price), and
// for a jump at 0 (a battery that the sun may not charge stops the sun's export when it charges).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bess/battery.hpp"
#include "bess/flows.hpp"
#include "bess/piecewise_linear.hpp"
#include "bess/site.hpp"

namespace bess {

// f up to `end` (kWh DC); `slope` is money per kWh DC stored.
struct CostSegment {
  double slope;
  double end;
};

// f on [least, most]; its segments lie elsewhere, in ascending order, and the last ends at `most`.
// Segments of no width may be left out; there are none where `least` is `most`.
struct StageCost {
  double least;
  double most;
  double cost_at_least;
  double jump;          // by how much f is higher behind segment `jump_before - 1` than at its end
  std::uint32_t first;  // position of the first segment
  std::uint8_t count;   // of segments
  std::uint8_t jump_before;  // segment in front of which f jumps; `count` or more: none does
  bool convex;
  bool feasible;  // false: load above the limits cannot be served; least - most is missing
};

class StageCostBuilder {
 public:
  static constexpr std::size_t kMostSegments = 24;

  StageCostBuilder(const Site& site, const Battery& battery);

  // Writes the segments of a step to `out`, which has room for kMostSegments, and all of `f` but
  // `first`.
  void build(const Step& step, CostSegment* out, StageCost& f);

 private:
  struct Limits;

  void build_by_merit(const Step& step, const Limits& limits, CostSegment* out, StageCost& f) const;
  void build_by_envelope(const Step& step, const Limits& limits, CostSegment* out, StageCost& f);
  double earning_charge(const Step& step, const Limits& limits) const;
  template <bool kLimited>
  Limits limits_of(const Step& step) const;

  bool grid_to_battery_;
  bool battery_to_grid_;
  bool solar_to_battery_;
  bool solar_to_grid_;
  double charge_limit_;      // kWh DC stored in a step
  double discharge_limit_;   // kWh DC from the cells in a step
  double stored_per_solar_;  // kWh DC for each kWh AC
  double stored_per_grid_;
  double storable_;  // stored_per_solar_, or 0 where solar may not be stored
  double per_stored_solar_;
  double per_stored_grid_;
  double discharge_ratio_;  // kWh AC for each kWh DC
  double per_discharge_;
  double wear_;  // money for each kWh DC from the cells
  double rounding_;
  Tolerances tolerances_{};
  Envelope envelope_;
  PiecewiseLinear branch_;
};

}  // namespace bess
