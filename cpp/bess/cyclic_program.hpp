// The exact optimum of one battery that is to end with what it started with, whatever that is.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "bess/dynamic_program.hpp"
#include "bess/problem.hpp"
#include "bess/stage_costs.hpp"

namespace bess {

// Room to work in, and the programme. One for each thread; it allocates only to grow.
class CyclicProgram {
 public:
  // As `DynamicProgram::solve`; the last of `energy` is the energy before the first step, too.
  // Where all steps are convex the bound meets the cost but for rounding; where they are not, it
  // may stay below it.
  // Requires: one device; cyclic; no meter of the sun's own; `costs`, one for each step.
  // O(steps) for each run of the dynamic programme: about ten, and more where steps are not convex.
  Optimum solve(const Problem& problem, const StageCosts& costs, std::span<double> energy,
                std::span<double> worth);

  // Of the last optimum: what each kWh before the first step costs, and each after the last earns,
  // where no schedule is cheaper that need not end as it starts. Where all steps are convex.
  double price() const { return best_.price; }

 private:
  // The cheapest schedule that starts and ends within a node's range, at a price on what it starts
  // with that it is paid for what it ends with.
  struct Trial {
    double price;
    double cost;     // without what the price makes of it
    double start;    // kWh DC
    double surplus;  // kWh DC at the start beyond those at the end
    double bound;    // on all schedules of the range that end as they start
  };
  struct Node {
    double low;  // kWh DC at the start and at the end
    double high;
    double price;  // the best known, of a range around it
    double bound;
  };

  std::optional<Trial> run(const Node& node, double price);
  Optimum solve_from(double start, double price);
  double search(Node& node);
  void keep(const Trial& trial);

  const Problem* problem_ = nullptr;
  const StageCosts* costs_ = nullptr;
  std::span<double> energy_;
  std::span<double> worth_;
  double steepest_ = 0;  // money per kWh DC: of the order of what energy may be worth
  double same_energy_ = 0;
  double same_cost_ = 0;
  std::size_t runs_ = 0;
  Trial best_{};
  DynamicProgram program_;
  std::vector<Node> open_;
};

}  // namespace bess
