// Billing determinants: energy by bin and peak demand by bin, in one pass over a horizon.
//
// A bin is whatever a tariff tells apart: a billing period and the rates that hold in it. Times of
// use come in runs of steps, so a horizon is given as runs, each with its bin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bess {

// Consecutive steps of one bin: run r holds steps [start[r], start[r + 1]).
// Requires: start has one entry more than bin, rises strictly, begins at 0; every bin >= 0.
struct Runs {
  std::span<const std::int32_t> start;
  std::span<const std::int32_t> bin;

  std::size_t count() const { return bin.size(); }
};

// One number for each bin; cleared by the kernel that fills them.
struct Determinants {
  std::span<double> import_energy;  // kWh
  std::span<double> export_energy;  // kWh
  std::span<double> peak;           // kWh imported in the step with most
};

// Adds up imports and exports (kWh in a step, >= 0) by bin, and finds each bin's largest import in
// a step; 0 for a bin without steps.
// Requires: both series of length start.back(); all determinants of one length above every bin.
void settle(std::span<const double> import_energy, std::span<const double> export_energy,
            const Runs& runs, const Determinants& determinants);

// The largest mean import (kWh in a step) over an interval of several steps, by the bin of the
// interval; runs count intervals. The first interval has only `first` steps on the horizon, the
// others `interval` steps, the last what is left; each is a mean over the steps it has.
// Requires: 1 <= first <= interval; start.back() intervals cover the series; peak is cleared here.
void peak_demand(std::span<const double> import_energy, std::size_t first, std::size_t interval,
                 const Runs& runs, std::span<double> peak);

}  // namespace bess
