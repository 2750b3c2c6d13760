// The rules surplus and fixed schedule for many batteries at one site, straight to billing
// determinants: no series is written.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bess/lane_kernel.hpp"
#include "bess/rules.hpp"
#include "bess/settlement.hpp"
#include "bess/site.hpp"

namespace bess {

// Prices by step; empty where costs are to be worked out from the determinants.
struct StepPrices {
  std::span<const double> buy;  // money per kWh
  std::span<const double> sell;
};

// What all batteries of a sweep have in common, worked out once: the runs of steps in which they do
// the same, and what the site does where they do nothing. Immutable; shared by threads.
class SweepProgram {
 public:
  // Requires: the site has no import and no inverter limit; the rule is surplus or fixed schedule;
  // `bins` covers the site's steps, every bin below `bin_count`; prices of one length. Where the
  // grid may charge by schedule, so may the sun.
  SweepProgram(const Site& site, const Rule& rule, bool grid_to_battery, bool battery_to_grid,
               const Runs& bins, std::size_t bin_count, const StepPrices& prices);

  std::size_t bins() const { return common_.size(); }
  bool priced() const { return priced_; }

 private:
  friend class Sweep;
  struct Common {
    double imported = 0;
    double exported = 0;
    double peak = 0;
    double gross = 0;  // all that crosses the meter or could: what residues are compared with
  };

  std::vector<LaneRun> runs_;
  std::vector<double> energy_;
  std::vector<double> solar_;
  std::vector<double> outlet_;
  std::vector<Common> common_;
  double common_cost_ = 0;
  bool priced_;
};

// Batteries, one row of numbers for each of their properties (kWh DC, and kWh DC in a step).
struct LaneBatteries {
  std::span<const double> minimum_energy;
  std::span<const double> maximum_energy;
  std::span<const double> initial_energy;
  std::span<const double> charge_limit;
  std::span<const double> discharge_limit;
  std::span<const double> solar_ratio;  // kWh DC at the terminals for each kWh AC of sun; 0: none
  std::span<const double> ac_to_dc_efficiency;
  std::span<const double> dc_to_ac_efficiency;
  std::span<const double> input_efficiency;

  std::size_t count() const { return minimum_energy.size(); }
};

// What a sweep finds, a number for each battery: bin-major, kWh AC.
struct LaneResults {
  std::span<double> imported;    // [bins][count]
  std::span<double> exported;    // [bins][count]
  std::span<double> peak;        // [bins][count], kWh imported in a step
  std::span<double> discharged;  // [count]
  std::span<double> from_grid;   // [count], taken to charge
  std::span<double> sent;        // [count], of the battery's energy, exported
  std::span<double> stored;      // [count], kWh DC after the last step
  std::span<double> cost;        // [count], at the prices of the program; 0 without
};

// The working memory of one thread.
class Sweep {
 public:
  // Works `batteries`, any number of them. What one battery gets depends neither on the others nor
  // on the instruction set.
  void run(const SweepProgram& program, const LaneBatteries& batteries, const LaneResults& results,
           InstructionSet instructions = widest_instruction_set());

 private:
  const double* reach_for(const SweepProgram& program);

  LaneBlock block_;
  std::vector<LaneBin> bins_;
  std::vector<double> reach_;
  double reach_discharge_ = -1;  // the limits that reach_ is for
  double reach_solar_charge_ = -1;
};

}  // namespace bess
