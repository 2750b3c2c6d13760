// The least cost of a step by linear programming alone: slow, without cases, and so the judge of
// the closed forms in stage_cost.hpp.
#pragma once

#include "bess/battery.hpp"
#include "bess/flows.hpp"
#include "bess/piecewise_linear.hpp"
#include "bess/site.hpp"

namespace bess {

// What a step may do.
struct StepModes {
  bool import;
  bool exporting;
  bool charge;
  bool discharge;
};

// The least cost as a function of the change of stored energy, with any flows that the modes
// allow; convex. No segments: nothing is feasible.
PiecewiseLinear stage_cost_in_modes(const Step& step, const Site& site, const Battery& battery,
                                    StepModes modes);

// The lower envelope over both directions of the meter and both of the battery. No segments:
// nothing is feasible.
PiecewiseLinear generic_stage_cost(const Step& step, const Site& site, const Battery& battery);

}  // namespace bess
