// What the steps cost as a function of caps on import, and linear bounds on it from below.
//
// Columns outside the steps (a billing period's peak, say) cap the import of the steps they hold
// for. Whatever their values are, one dynamic programme finds the least cost of the steps, where
// import above the caps pays an exact penalty. Its worths of stored energy then bound the cost of
// every block of consecutive steps from below, for all other values too:
//
//   cost of block >= constant + sum over columns of slope * column
//                    + worth_at_end * energy at its end - worth_at_start * energy at its start.
//
// By weak duality: for any worths, a step costs at least min over x (f(x) - worth * x) plus the
// worth of its change; that is convex in the cap, so it lies above its tangent.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bess/dynamic_program.hpp"
#include "bess/import_tier.hpp"
#include "bess/problem.hpp"
#include "bess/stage_costs.hpp"

namespace bess {

// Import in `step` <= room + factor * column, in kWh AC; factor > 0.
struct ImportCap {
  std::uint32_t step;
  std::uint32_t column;
  double room;
  double factor;
};

// One for each block; slopes lie elsewhere.
struct Cut {
  double constant;
  double worth_at_start;
  double worth_at_end;
  std::uint32_t first;  // of its slopes
  std::uint32_t count;
};

struct CutSlope {
  std::uint32_t column;
  double value;
};

class CutOracle {
 public:
  // Caps by step; `penalty` by column: what one more unit of a column can cost at most. False where
  // load above the import limit cannot be served.
  bool start(const Problem& problem, std::span<const ImportCap> caps,
             std::span<const double> penalty);

  // The least cost of the steps, penalties included, with these columns, or a bound on it where
  // `is_convex` is false; infinite: infeasible.
  double evaluate(std::span<const double> columns);
  bool is_convex() const { return convex_.steps() == 0; }

  // What any worths of stored energy, one for each step, say of the blocks; most where it was
  // evaluated last. `starts`: the first step of each block, the first one 0.
  void cut(std::span<const double> worth, std::span<const std::uint32_t> starts,
           std::vector<Cut>& cuts, std::vector<CutSlope>& slopes);
  std::span<const double> cap() const { return cap_; }  // by step, kWh AC; infinite: none
  std::span<const double> penalty() const { return penalty_; }
  // By cap, what one more kWh of it is worth in the cuts last made.
  std::span<const double> worth_of_cap() const { return worth_of_cap_; }
  std::span<const double> energy() const { return energy_; }
  std::span<const double> worth() const { return worth_; }
  // The limits on the energy stored before step t, or after the last; kWh DC.
  double low(std::size_t t) const { return program_.low()[t] * unit(t); }
  double high(std::size_t t) const { return program_.high()[t] * unit(t); }

 private:
  double unit(std::size_t t) const { return costs_.lossy() ? costs_.unit(t) : 1.0; }

  const Problem* problem_ = nullptr;
  StageCosts costs_;
  StageCosts convex_;  // nowhere above them; empty: they are convex
  ImportTier tier_;
  DynamicProgram program_;
  std::span<const ImportCap> caps_;
  std::vector<double> cap_;             // by step
  std::vector<double> penalty_;         // by step
  std::vector<std::uint32_t> binding_;  // by step, the cap that is least, from 1; 0: none
  std::vector<double> energy_;
  std::vector<double> worth_;
  std::vector<double> worth_of_cap_;
  std::vector<double> unused_;
  std::vector<double> slope_;  // by column, while a block is cut
};

}  // namespace bess
