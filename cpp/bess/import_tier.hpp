// A step's import as a function of the change of stored energy, and a second price for what of it
// is above a cap.
//
// Demand charges and rising bands make import above some power or energy dearer. Where the merit
// order of stage_cost.cpp serves the load before it exports, and stores the sun before the grid,
// the flows of least cost are also those of least import: the import is a function I(x), convex
// and rising, and f(x) + penalty * (I(x) - cap)_+ is the step's cost with the second price.
#pragma once

#include <span>

#include "bess/battery.hpp"
#include "bess/flows.hpp"
#include "bess/large_vector.hpp"
#include "bess/problem.hpp"
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
  // Keeps `problem` and `costs`, which change with every cap. False where the import of some step
  // does not follow from its change of stored energy: an export price above the import price, or a
  // negative price.
  bool start(const Problem& problem, StageCosts& costs);

  // Makes import above `cap[t]` (kWh AC, >= 0) dearer by `penalty[t]` (money per kWh, >= 0) in
  // every step, instead of what held before. O(steps).
  void set(std::span<const double> cap, std::span<const double> penalty);

  double import_at(std::size_t t, double change) const;

  // What one more kWh of the cap of step `t` saves, when a kWh stored in the step is worth `worth`:
  // the negative of a derivative of min over x (f(x) - worth * x), between 0 and the penalty.
  double worth_of_cap(std::size_t t, double worth) const;

 private:
  struct Corner {  // where I(x) reaches the cap
    std::uint32_t step;
    double penalty;
    double slope_before;  // of f without the penalty
    double slope_behind;
    double rate_before;  // of I
    double rate_behind;
  };

  double change_at(std::size_t t, double import) const;
  double rate_between(std::size_t t, double from, double to) const;
  void add_penalty(std::size_t t, double cap, double penalty);

  StageCosts* costs_ = nullptr;
  double served_ = 0;  // kWh AC of import for each kWh DC of change
  double diverted_ = 0;
  double taken_ = 0;
  LargeVector<ImportCurve> curves_;
  LargeVector<double> most_;  // import at the greatest change
  std::vector<Corner> corners_;
  LargeVector<std::uint32_t> corner_of_;  // by step, from 1; 0: the cap is out of reach
};

}  // namespace bess
