// A stretch of a problem's steps between two energies stored, whether its steps are convex or not.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bess/dynamic_program.hpp"
#include "bess/import_tier.hpp"
#include "bess/problem.hpp"
#include "bess/stage_costs.hpp"

namespace bess {

// What import costs in a stretch besides its price; by step, kWh AC and money per kWh.
struct ImportTerms {
  std::span<const double> from;  // what is imported above it
  std::span<const double> more;  // costs so much more, 0 where import at the price alone is below 0
  std::span<const double> most;  // and nothing is imported above this
};

class StretchProgram {
 public:
  // `count` steps of a problem with one device from `first` on. `low`, `high`: the limits on energy
  // before each of them and after the last, kWh DC. Keeps what it is given.
  bool start(const Problem& whole, std::size_t first, std::size_t count,
             std::span<const double> low, std::span<const double> high);

  // The least cost from the first step on. False: infeasible.
  bool solve_before(const ImportTerms& terms, const CostToGo& later, CostToGo& found);
  // A schedule from `energy_before` kWh DC that reaches it, by the energy at each step's end, and
  // what it imports in each. Returns what its steps cost at their prices; infinite: infeasible.
  double solve(const ImportTerms& terms, const CostToGo& later, double energy_before,
               std::span<double> energy, std::span<double> import);

 private:
  Device device_;
  Problem problem_{};
  std::span<const double> low_;
  std::span<const double> high_;
  StageCosts costs_;
  ImportTier tier_;
  DynamicProgram program_;
  std::vector<double> worth_;
  std::vector<double> most_;  // import, kWh AC
  std::vector<double> flows_;
  std::vector<double> device_flows_;
};

// The least of several at each energy.
CostToGo least_of(std::span<const CostToGo* const> costs, double capacity);

// The least by which `one` is above `other` where both are known; infinite: nowhere.
double least_above(const PiecewiseLinear& one, const PiecewiseLinear& other);

}  // namespace bess
