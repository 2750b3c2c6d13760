// The rules surplus and fixed schedule for many batteries at one site, straight to billing
// determinants: no series is written.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bess/corridor.hpp"
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

// What is watched besides the determinants.
struct Watched {
  std::span<const Window> windows;  // of policies, as fractions of capacity, in order of instants
  bool hours;                       // the steps at the batteries' limits
};

// What all batteries of a sweep have in common, worked out once: the runs of steps in which they do
// the same, and what the site does where they do nothing. Immutable; shared by threads.
class SweepProgram {
 public:
  // Requires: the site has no inverter limit; the rule is surplus or fixed schedule;
  // `bins` covers the site's steps, every bin below `bin_count`; prices of one length. Where the
  // grid may charge by schedule, so may the sun. The permissions matter to surplus only where there
  // are policies, or an import limit.
  SweepProgram(const Site& site, const Rule& rule, bool grid_to_battery, bool battery_to_grid,
               const Runs& bins, std::size_t bin_count, const StepPrices& prices,
               const Watched& watched);

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

  void copy_site(const Site& site);
  bool goes_on(std::span<const Window> windows) const;  // so does the last run, at a step with them
  void add_run_policy(std::span<const Window> windows);
  LaneProgram lane_program() const;

  std::vector<LaneRun> runs_;
  std::vector<double> energy_;
  std::vector<double> solar_;
  std::vector<double> outlet_;
  std::vector<Common> common_;
  double common_cost_ = 0;
  bool priced_;
  bool counts_hours_;
  bool held_;  // there are policies or an import limit; without, all that follows is empty
  bool grid_to_battery_;
  bool battery_to_grid_;
  std::vector<LaneRunPolicy> run_policies_;
  std::vector<LaneWindow> windows_;
  std::vector<double> load_;
  std::vector<double> import_limit_;
  std::vector<double> solar_outlet_;
  std::vector<double> battery_outlet_;
  double noise_ = 0;
};

// Batteries, one row of numbers for each of their properties (kWh DC, and kWh DC in a step).
struct LaneBatteries {
  std::span<const double> capacity;
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

// What a sweep finds, a number for each battery: bin-major, kWh AC. NaN where a battery cannot
// serve a load above the import limit.
struct LaneResults {
  std::span<double> imported;    // [bins][count]
  std::span<double> exported;    // [bins][count]
  std::span<double> peak;        // [bins][count], kWh imported in a step
  std::span<double> discharged;  // [count]
  std::span<double> from_grid;   // [count], taken to charge
  std::span<double> sent;        // [count], of the battery's energy, exported
  std::span<double> stored;      // [count], kWh DC after the last step
  std::span<double> cost;        // [count], at the prices of the program; 0 without
  std::span<double> full;        // [count], steps that end so; 0 where they are not watched
  std::span<double> empty;       // [count]
  std::span<double> missed;      // [count], windows of policies
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
  std::vector<double> corridor_;
  std::vector<LaneNarrowing> narrowing_;
  double reach_discharge_ = -1;  // the limits that reach_ is for
  double reach_solar_charge_ = -1;
};

}  // namespace bess
