// The optimum at prices by step for many batteries at one site, straight to billing determinants.
#pragma once

#include <span>
#include <vector>

#include "bess/dynamic_program.hpp"
#include "bess/large_vector.hpp"
#include "bess/problem.hpp"
#include "bess/settlement.hpp"
#include "bess/stage_costs.hpp"

namespace bess {

// What an optimum comes to besides its determinants. Energies in kWh AC.
struct OptimumTotals {
  bool feasible;
  double discharged;
  double from_grid;
  double sent;         // of the battery's energy, exported
  double curtailed;    // kWh DC of sun
  double stored;       // kWh DC after the last step
  double paid;         // at the prices by step, without degradation
  double moved;        // the money that flows
  double lower_bound;  // on what is paid, and degradation
};

// The working memory of one thread, used again for every battery: its room is what a solve costs
// most to get.
class OptimumSweep {
 public:
  // The optimum of a problem with one device; determinants only where it is feasible.
  // Requires: what DynamicProgram and settle require.
  OptimumTotals solve(const Problem& problem, const Runs& bins, const Determinants& determinants);

 private:
  StageCosts costs_;
  DynamicProgram program_;
  LargeVector<double> energy_;
  LargeVector<double> worth_;
  LargeVector<double> flows_;
  LargeVector<double> device_flows_;
  LargeVector<double> imported_;
  LargeVector<double> exported_;
};

}  // namespace bess
