// A lower bound on the least cost as a linear function of the battery's size.
//
// With worths of stored energy held, the least of each step's cost less the worth of its change is
// convex in the limits on power, and the worth of the limits on stored energy is linear in them: by
// weak duality the tangent at one size bounds the least cost at every size from below, and with the
// worths of an optimum it is the cost at that size.
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

// `worth` by step, as `DynamicProgram::solve` writes it.
// Requires: one device without self-discharge, its energy worth nothing at the end; `costs` of the
// problem, all of them convex, as they must be at the other size. O(steps).
SizeCut size_cut(const Problem& problem, const StageCosts& costs, std::span<const double> worth);

}  // namespace bess
