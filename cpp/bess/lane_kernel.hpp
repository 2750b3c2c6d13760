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

inline constexpr std::size_t kLanes = 64;

// Batteries that are worked side by side. Stored energy counts in kWh AC that it gives at the site,
// above the minimum.
struct alignas(64) LaneBlock {
  double room[kLanes];          // the most that can be stored
  double stored[kLanes];        // now
  double discharge[kLanes];     // the most in a step
  double charge[kLanes];        // the most in a step, as stored
  double solar_charge[kLanes];  // the most in a step, kWh AC of sun; 0 where sun may not be stored
  double stored_per_solar[kLanes];
  double solar_per_stored[kLanes];
  double grid_per_stored[kLanes];
  double discharged[kLanes];  // kWh AC, so far
  double from_grid[kLanes];   // kWh AC taken to charge, so far
  double sent[kLanes];        // kWh AC of the battery's that were exported, so far
  double cost[kLanes];        // of what the battery changes, at the prices of the runs
};

// What a block of batteries changes in a bin.
struct alignas(64) LaneBin {
  double imported[kLanes];  // kWh, more than what they have in common
  double exported[kLanes];
  double peak[kLanes];  // kWh imported in a step
};

// Works every run for a block. `reach`: for each run, what the energies come to where each is held
// to the one limit that all lanes have; null where they differ. `priced`: keeps account of the
// cost.
using WorkLanes = void (*)(const LaneRun* runs, std::size_t count, const LaneSeries& series,
                           const double* reach, bool priced, LaneBlock& block, LaneBin* bins);
void work_lanes_baseline(const LaneRun*, std::size_t, const LaneSeries&, const double*, bool,
                         LaneBlock&, LaneBin*);
void work_lanes_avx2(const LaneRun*, std::size_t, const LaneSeries&, const double*, bool,
                     LaneBlock&, LaneBin*);
void work_lanes_avx512(const LaneRun*, std::size_t, const LaneSeries&, const double*, bool,
                       LaneBlock&, LaneBin*);

}  // namespace bess
