// A lower bound on the least cost as a linear function of the battery's size.
//
// With worths of stored energy held, the least of each step's cost less the worth of its change is
// convex in the limits on power, and the worth of the limits on stored energy is linear in them: by
// weak duality the tangent at one size bounds the least cost at every size from below, and with the
// worths of an optimum it is the cost at that size.
//
// That needs steps whose cost is convex. Power only bounds a step's change: at every size its cost
// is that of the largest size, on a part of its range. Where it is not convex, the convex hull of
// the cost at the largest size, on that part, is below it at every size; how far is what the bound
// lacks.
#pragma once

#include <span>

#include "bess/problem.hpp"
#include "bess/stage_costs.hpp"

namespace bess {

// The least cost at another size is no less than `cost` + the slopes times how much larger that is.
struct SizeCut {
  double cost;
  double per_capacity;  // money per kWh DC; initial and final energies, and windows, grow with it
  double per_charge;    // money per kWh DC at the terminals and step
  double per_discharge;
};

// Puts convex costs that are nowhere above them in the place of all that are not convex at the
// largest size, whose costs are `widest`. Requires: the largest power is at least this one's; both
// of one site at the same prices, and neither lossy.
void make_convex_at_every_size(const StageCosts& widest, StageCosts& costs);

// `worth` by step, as `DynamicProgram::solve` writes it. Of a cyclic problem `end_price` is what
// each kWh DC before the first step costs, and each after the last earns; else 0. Requires: one
// device without self-discharge, its energy worth nothing at the end; `costs` of the problem, all
// of them convex, as they must be at the other size, or made so. O(steps).
SizeCut size_cut(const Problem& problem, const StageCosts& costs, std::span<const double> worth,
                 double end_price);

}  // namespace bess
