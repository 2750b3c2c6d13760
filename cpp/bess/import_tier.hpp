// A second price for what a step imports above a cap.
//
// Demand charges and rising bands make import above some power or energy dearer. Where the merit
// order of stage_cost.cpp serves the load before it exports, and stores the sun before the grid,
// the flows of least cost are also those of least import: the import is a function I(x), convex
// and rising, and f(x) + penalty * (I(x) - cap)_+ is the step's cost with the second price.
// Elsewhere (a negative price, or an export price above the import price) it is the step's cost
// with the cap as a limit where that can be kept, and else its cost at the second price.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "bess/large_vector.hpp"
#include "bess/problem.hpp"
#include "bess/stage_cost.hpp"
#include "bess/stage_costs.hpp"

namespace bess {

// I(x), kWh AC: `least`, then with slope `served` up to x = 0 and I = deficit; then 0 more up to
// `from_surplus`, with slope `diverted` up to `from_solar`, and with slope `taken` beyond.
struct ImportCurve {
  double least;  // above 0 where the inverter cannot serve the load
  double deficit;
  double from_surplus;
  double from_solar;
};

class ImportTier {
 public:
  // Keeps what it is given: the costs, and the convex ones that are nowhere above them, null where
  // all are convex. Both change with every cap.
  void start(const Problem& problem, StageCosts& costs, StageCosts* convex);

  // Makes import above `cap[t]` (kWh AC, >= 0) dearer by `penalty[t]` (money per kWh, >= 0) in
  // every step, instead of what held before. O(steps).
  void set(std::span<const double> cap, std::span<const double> penalty);
  // The same where import is at most `most[t]`, for any penalty with which it is nowhere better to
  // import more, or none. False where a step's load cannot be served so. Not to be cut around.
  bool set(std::span<const double> cap, std::span<const double> penalty,
           std::span<const double> most);

  // A bound from below on min over x (f(x) - worth * x), in the costs' units, whatever the cap is:
  // `least` - `worth_of_cap` * cap. It is close at the cap that was set.
  struct Tangent {
    double least;
    double worth_of_cap;  // money per kWh, between 0 and the penalty
  };
  Tangent tangent(std::size_t t, double worth);

 private:
  struct Corner {  // where I(x) reaches the cap
    std::uint32_t step;
    double cap;
    double penalty;
    double slope_before;  // of f without the penalty
    double slope_behind;
    double rate_before;  // of I
    double rate_behind;
  };

  // kWh DC of the unit in which the costs count the change in step t.
  double unit(std::size_t t) const { return costs_->lossy() ? costs_->unit(t + 1) : 1.0; }
  void join_cheap_and_dear(std::size_t t, double cap, double penalty, double most);
  void build_in_units(std::size_t t, const Step& step, CostSegment* out, StageCost& f);
  double import_at(std::size_t t, double change) const;
  double change_at(std::size_t t, double import) const;
  double rate_between(std::size_t t, double from, double to) const;
  void clear();
  void add_corner(std::size_t t, double cap, double penalty);
  void add_penalty(std::size_t t, double cap, double penalty, double most);
  void join_limited_and_dear(std::size_t t, double cap, double penalty, double most);
  double worth_by_merit(const Corner& corner, double worth) const;
  Tangent best_tangent(const Corner& corner, double worth);

  const Problem* problem_ = nullptr;
  StageCosts* costs_ = nullptr;
  StageCosts* convex_ = nullptr;
  std::optional<StageCostBuilder> builder_;
  double served_ = 0;  // kWh AC of import for each kWh DC of change
  double diverted_ = 0;
  double taken_ = 0;
  LargeVector<ImportCurve> curves_;
  LargeVector<double> most_;            // the most import
  LargeVector<std::uint8_t> by_merit_;  // whether I(x) is known
  std::vector<Corner> corners_;
  LargeVector<std::uint32_t> corner_of_;  // by step, from 1; 0: the cap is out of reach
};

}  // namespace bess
