// From a solver's solution, which is right to its tolerances, to flows that balance exactly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bess/device.hpp"
#include "bess/flows.hpp"
#include "bess/linear_program.hpp"
#include "bess/problem.hpp"

namespace bess {

struct Recovery {
  // Steps where the solution has a cheaper step than any that neither charges and discharges nor
  // imports and exports at once: there the program needs its binaries. One flag a step.
  std::vector<std::uint8_t> not_exclusive;
  bool feasible;  // false: some step's action cannot be carried out exclusively at all
};

// Follows the stored energies of `solution` (in the program's units) and writes the least-cost
// exclusive flows of each step (`settle`); with `simultaneous` the solution's own flows, repaired.
Recovery recover(const Problem& problem, const LinearProgram& program,
                 std::span<const double> solution, bool simultaneous, FlowSeries flows,
                 std::span<const DeviceFlows> device_flows);

}  // namespace bess
