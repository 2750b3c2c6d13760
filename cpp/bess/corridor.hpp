// From windows on the state of charge to the corridor from which they can be met.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bess/battery.hpp"
#include "bess/site.hpp"

namespace bess {

// The stored energy must lie in [low, high] (kWh DC) at the end of step `step`.
struct Window {
  std::size_t step;
  double low;
  double high;
};

// The least and the most by which stored energy can change in a step (kWh DC), whatever is stored:
// what power, permissions, load, solar and the site's limits allow. `most` is negative where load
// above the import limit forces a discharge; `least > most` where even that does not help.
struct ChangeRange {
  double least;
  double most;
};
ChangeRange change_range(const Site& site, const Battery& battery, std::size_t t);

// What a battery holds at the end of each step that starts with `level` (kWh DC) and takes what it
// can to stay there: less than `level` where self-discharge takes more than the site can restore
// (or than it can without stopping the sun's export). Empty: `level` throughout.
std::vector<double> kept_energies(const Site& site, const Battery& battery, double level);

// The least energy the battery must hold at the end of each step: its minimum as far as it is kept.
// Empty: the minimum throughout.
inline std::vector<double> least_energies(const Site& site, const Battery& battery) {
  return kept_energies(site, battery, battery.minimum_energy);
}

// The stored energies at the end of each step from which every later window can still be met.
struct Corridor {
  std::vector<double> low;  // kWh DC; empty where nothing narrows the battery's own limits
  std::vector<double> high;
  std::vector<Window> attained;  // the windows made attainable: a missed one is the point nearest
  std::ptrdiff_t first_missed = -1;     // index of the first window that cannot be met, or -1
  double shortfall = 0;                 // kWh DC missing there
  std::ptrdiff_t infeasible_step = -1;  // load above the import limit cannot be served here, or -1
};

// Requires: windows sorted by step; of two that cannot both be met the earlier has precedence.
// `earliest_low`, `earliest_high`: the stored energy before the first step (a point, or a range
// where the start is free). O(steps + windows).
Corridor make_corridor(const Site& site, const Battery& battery, std::span<const Window> windows,
                       double earliest_low, double earliest_high);

}  // namespace bess
