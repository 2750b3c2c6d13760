// The inner loop of a sweep, built once for each instruction set; all give the same bits.
// Plain data and functions only: nothing inline crosses between translation units that are
// compiled for different machines.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bess {

// What the batteries of a sweep do in a run of steps, kWh AC at the meter. What they have in common
// is counted apart (SweepProgram); here is only what each battery changes.
enum class LaneRunKind : std::uint8_t {
  kServe,         // discharge into what the sun leaves of the load: in closed form
  kStore,         // charge from surplus sun, what is left is all sold, or none: in closed form
  kStoreAndSell,  // the same where only a part of what is left can be sold
  kTake,          // charge from the grid while there is no sun: in closed form
  kTakeBesideSun,
  kSend,  // discharge to load and grid
  kRest,  // nothing; such runs are told only where policies may want something, or hours are
          // counted
};

struct LaneRun {
  LaneRunKind kind;
  std::uint32_t bin;
  std::uint32_t first;
  std::uint32_t steps;
  double most;   // of the energies below, in one step
  double sum;    // of them
  double slack;  // far above what rounding does to it, far below what matters
  double sold;   // kStore: 1 or 0
  double buy;    // money per kWh, of every step
  double sell;
};

// By step, kWh AC. `energy` is the deficit (kServe, kSend), the surplus (kStore) or the load less
// the sun (kTake).
struct LaneSeries {
  const double* energy;
  const double* solar;
  const double* outlet;  // kSend: what can be discharged; else what sun can be exported
};

// The state of charge lies in it, as fractions of capacity, at the end of a step.
struct LaneWindow {
  double low;
  double high;
};

// What a run of a program with policies or an import limit has besides. A run with windows has them
// at the end of each of its steps; where they are several it is one step long.
struct LaneRunPolicy {
  LaneWindow window;    // what its windows come to together: of two apart, the earlier one
  std::uint32_t first;  // of its windows
  std::uint32_t count;  // 0: it has none
  bool overloaded;      // the load is above sun and import limit together in one of its steps
  double headroom;      // kWh, the least that the import limit leaves beside the load
  double imported;      // kWh that are counted as what all batteries have in common
  double exported;
};

struct LanePolicies {
  const LaneRunPolicy* runs;  // null: there are neither policies nor an import limit
  const LaneWindow* windows;
  const double* load;          // by step, kWh AC
  const double* import_limit;  // null: none
  const double* solar_outlet;
  const double* battery_outlet;
  double noise;  // kWh that an import must be above to be one
  bool grid_to_battery;
};

// Where there are policies, or hours are counted, no run has more steps.
inline constexpr std::size_t kLongestRun = 64;

struct LaneProgram {
  const LaneRun* runs;
  std::size_t count;
  LaneSeries series;
  bool priced;        // keeps account of the cost
  bool counts_hours;  // and of the steps at the limits
  LanePolicies policies;
};

inline constexpr std::size_t kLanes = 64;
inline constexpr std::size_t kGroupLanes = 16;  // worked side by side, to hide latencies

// Batteries that are worked side by side. Stored energy counts in kWh AC that it gives at the site,
// above the minimum.
struct alignas(64) LaneBlock {
  double capacity[kLanes];      // nameplate
  double minimum[kLanes];       // what is never given
  double room[kLanes];          // the most that can be stored
  double stored[kLanes];        // now
  double discharge[kLanes];     // the most in a step
  double charge[kLanes];        // the most in a step, as stored
  double solar_charge[kLanes];  // the most in a step, kWh AC of sun; 0 where sun may not be stored
  double stored_per_solar[kLanes];
  double solar_per_stored[kLanes];
  double grid_per_stored[kLanes];
  double stored_per_grid[kLanes];
  double solar_per_saved[kLanes];  // sun stored for each kWh less of import; 0: that saves none
  double discharged[kLanes];       // kWh AC, so far
  double from_grid[kLanes];        // kWh AC taken to charge, so far
  double sent[kLanes];             // kWh AC of the battery's that were exported, so far
  double cost[kLanes];             // of what the battery changes, at the prices of the runs
  double full[kLanes];             // steps that end so, so far
  double empty[kLanes];
  double missed[kLanes];  // windows, so far
  double failed[kLanes];  // above 0: a load above the import limit could not be served
};

// What a block of batteries changes in a bin.
struct alignas(64) LaneBin {
  double imported[kLanes];  // kWh, more than what they have in common
  double exported[kLanes];
  double peak[kLanes];  // kWh imported in a step
};

// How a run's end is narrower than the batteries' limits for a group of lanes.
enum class LaneNarrowing : std::uint8_t { kNone, kToWindow, kFurther };

// Working memory of the corridor of a group of lanes, for each run.
struct LaneCorridor {
  LaneNarrowing* narrowing;  // [runs]
  double* bounds;            // [runs][2][kGroupLanes]: low and high at the run's end, if kFurther
};

// Works every run for a block. `reach`: for each run, what the energies come to where each is held
// to the one limit that all lanes have; null where they differ.
using WorkLanes = void (*)(const LaneProgram& program, const double* reach,
                           const LaneCorridor& corridor, LaneBlock& block, LaneBin* bins);
void work_lanes_baseline(const LaneProgram&, const double*, const LaneCorridor&, LaneBlock&,
                         LaneBin*);
void work_lanes_avx2(const LaneProgram&, const double*, const LaneCorridor&, LaneBlock&, LaneBin*);
void work_lanes_avx512(const LaneProgram&, const double*, const LaneCorridor&, LaneBlock&,
                       LaneBin*);

}  // namespace bess
