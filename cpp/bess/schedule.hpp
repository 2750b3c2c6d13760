// From the stored energies of one battery to all flows.
#pragma once

#include <span>

#include "bess/device.hpp"
#include "bess/flows.hpp"
#include "bess/problem.hpp"

namespace bess {

struct Schedule {
  double cost;    // money, degradation included
  bool feasible;  // false: a step's change of energy cannot be carried out
};

// Writes the least-cost flows (`settle`) of each step's change of stored energy. `energy` is that
// at each step's end, kWh DC. Requires: one device.
Schedule write_schedule(const Problem& problem, std::span<const double> energy, FlowSeries flows,
                        DeviceFlows device_flows);

}  // namespace bess
