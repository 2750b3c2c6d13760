// The exact optimum of one battery whose cost is a sum over steps, whether convex or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bess/certificate.hpp"
#include "bess/large_vector.hpp"
#include "bess/piecewise_linear.hpp"
#include "bess/problem.hpp"
#include "bess/slope_list.hpp"
#include "bess/stage_costs.hpp"
#include "bess/value_function.hpp"

namespace bess {

// What is known of the optimum.
struct Optimum {
  bool feasible;
  double value;            // money: the value function before the first step
  double lower_bound;      // money: no schedule costs less
  std::size_t kinks;       // steps whose cost is not convex
  std::size_t flat_steps;  // steps at which the value function was kept as several pieces
  double start;            // kWh DC stored before the first step
};

// Where a schedule may begin and end, besides the windows, and what energy costs and earns there.
struct Ends {
  double start_low;  // kWh DC before the first step
  double start_high;
  double start_price;  // money for each kWh DC of them
  double end_low;      // kWh DC after the last
  double end_high;
  double end_price;  // money for each kWh DC of them, besides what they are worth anyway
};

// The least cost from some step on as a function of the energy stored before it, kWh DC, and by how
// much it may be above what it should be.
struct CostToGo {
  PiecewiseLinear function;
  double error = 0;
};

// What follows a stretch of steps, and the limits on stored energy in it.
struct Later {
  const CostToGo& cost;
  std::span<const double> low;  // before each step and after the last, kWh DC
  std::span<const double> high;
};

// Room to work in, and the programme. One for each thread; it allocates only to grow.
class DynamicProgram {
 public:
  // Writes the stored energy at each step's end (kWh DC), and what one more kWh stored in the step
  // is worth (money per kWh DC); neither is written where nothing is feasible.
  // Of schedules of equal cost one with the least throughput, if all steps are convex.
  // Requires: one device; not cyclic; no meter of the sun's own; `costs`, one for each step, stay.
  // O(steps), for a given battery.
  Optimum solve(const Problem& problem, const StageCosts& costs, std::span<double> energy,
                std::span<double> worth);
  // The same with other ends than the problem's, the start a choice: `value` and `lower_bound` have
  // in them what the start costs and the end earns.
  Optimum solve(const Problem& problem, const StageCosts& costs, const Ends& ends,
                std::span<double> energy, std::span<double> worth);

  // The same with `later` as the cost of what comes after the last step, from `start` kWh DC,
  // within `low` and `high` (steps + 1 of them, kWh DC) instead of the problem's limits.
  Optimum solve(const Problem& problem, const StageCosts& costs, const Later& later, double start,
                std::span<double> energy, std::span<double> worth);
  // The least cost of all of it, by the energy stored before the first step. False: infeasible.
  bool solve_before(const Problem& problem, const StageCosts& costs, const Later& later,
                    CostToGo& found);

  // The limits on the energy stored before each step of the last problem, and after its last, in
  // the units of its costs.
  std::span<const double> low() const { return low_; }
  std::span<const double> high() const { return high_; }

 private:
  struct Stored {  // the value function before step `step`
    std::size_t step;
    std::size_t first;
    std::size_t count;
    double end;
  };
  struct Range {
    double low;
    double high;
  };
  struct Line {  // -worth * s + excess: by so much the value function is above what is proven
    double worth;
    double excess;
  };

  struct Start {
    double energy;
    double worth;
    double cost;   // of it and of what follows, less `offset_`
    double bound;  // what the start adds to a bound whose steps begin with `worth`
  };

  void begin(const Problem& problem, const StageCosts& costs, double steepest);
  void begin(const Problem& problem, const StageCosts& costs, const Later& later);
  void set_limits(const Problem& problem, const Ends& ends);
  void set_end(const Device& device, double price);
  Optimum run(const Problem& problem, double start_price, std::span<double> energy,
              std::span<double> worth);
  bool begin_with_later(double low, double high);
  bool run_backward();
  template <bool kLossy>
  bool add_convex_steps(std::size_t& next);
  bool add_flat_step(std::size_t t);
  double most_allowed(std::size_t first, std::size_t last);
  Start best_start(double price) const;
  void run_forward(const Start& start, std::span<double> energy, std::span<double> worth);
  template <bool kLossy>
  void run_convex_stretch(std::size_t first, std::size_t last, double s, double value,
                          const Stored* target, std::span<double> energy, std::span<double> worth);
  static Range where_worth(const FunctionView& v, double value);

  FunctionView view(const Stored& stored) const {
    return {{arena_.data() + stored.first, stored.count}, stored.end};
  }
  void store(std::size_t t, const PiecewiseLinear& function);
  void flatten();
  void to_list(const PiecewiseLinear& function);
  double left(std::size_t t) const { return costs_->lossy() ? costs_->left(t) : 1.0; }

  std::size_t steps_ = 0;
  const CostToGo* later_ = nullptr;  // null: `end_function_`
  bool keeps_values_ = false;        // not slopes alone
  std::size_t flat_steps_ = 0;
  Tolerances tolerances_{};
  const StageCosts* costs_ = nullptr;
  LargeVector<double> low_;  // limits on the stored energy before step t, t = 0 .. steps
  LargeVector<double> high_;
  LargeVector<double> low_worth_;  // where V was cut: what energy is worth there; else infinite
  LargeVector<double> high_worth_;
  LargeVector<std::uint8_t> flat_;  // steps at which V was kept in pieces; empty: none

  // The value function while going backward: a list, or pieces.
  SlopeList list_;
  double start_ = 0;
  double end_ = 0;
  double offset_ = 0;    // of all values
  double residual_ = 0;  // how far V_0 may be above the least cost
  std::vector<Line> lines_;
  PiecewiseLinear end_function_;  // V after the last step, from 0 at its start
  double end_offset_ = 0;         // what it is there
  bool convex_ = true;
  bool is_stored_ = false;
  PiecewiseLinear flat_function_;
  PiecewiseLinear scratch_;
  Envelope envelope_{Tolerances{}};
  std::vector<Segment> arena_;
  std::vector<Stored> stored_;  // later steps first

  std::vector<BestChanges> change_;
  double dual_bound_ = 0;  // where all steps are convex
  std::vector<Range> tube_;
};

}  // namespace bess
