// Re-planning: an exact plan over the steps ahead, of which the first are carried out, and so on.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bess/battery.hpp"
#include "bess/problem.hpp"
#include "bess/site.hpp"

namespace bess {

// What every plan expects of the steps ahead of it, kWh AC in a step: the values of plan `k` begin
// at `k * stride` and go at least as far as the plan does.
struct Expected {
  std::span<const double> values;
  std::size_t stride;
};
struct Forecast {
  Expected load;
  Expected solar;
};

// How far ahead a plan goes, and how many of its steps are carried out before the next; both >= 1,
// the second at most the first.
struct Replanning {
  std::size_t horizon;
  std::size_t steps;
};

// Steps at which not everything could be had.
struct Shortfalls {
  std::vector<std::size_t> relaxed_plans;      // first steps of plans whose limits were relaxed
  std::vector<std::size_t> over_import_limit;  // load above the limit, and nothing left to serve it
};

// The stored energy after step `t` of a battery that is to change by `change` what is left of
// `energy` in it, held to what the site and the battery allow, to at least `least`, and to the
// windows of the step; all in kWh DC. `shortfalls` grows if even the most that the battery can give
// leaves the import limit broken.
double carry_out(const Site& site, const Battery& battery, std::span<const Window> windows,
                 std::size_t t, double least, double energy, double change, Shortfalls& shortfalls);

// Plans and carries out the steps from `first` to before `last`, with `energy` kWh DC stored before
// them; plan 0 of the forecast begins at `first`. Writes the stored energy after each of these
// steps, from `first` on, and what one more kWh stored in it was worth to its plan.
//
// A plan knows the prices and limits of `actual`, but of its load and solar the forecast alone. It
// costs least over its steps. Energy left at its end counts at what the load beyond the sun costs
// in it on average, or at the mean export price where that is higher and the battery may export,
// after losses and wear; the windows at the end of `actual` hold as they are. A
// plan that can meet no schedule comes as near to its windows as it can, the earlier first, and, if
// the load it expects is above the import limit, leaves that aside. What is carried out is the
// change of stored energy beyond self-discharge, as far as the actual load and solar allow
// (`carry_out`).
//
// Requires: one device; not cyclic; no meter of the sun's own. Allocates for the first plan only,
// and where a plan is relaxed. O((last - first) / replanning.steps * replanning.horizon).
void roll(const Problem& actual, const Forecast& forecast, const Replanning& replanning,
          std::size_t first, std::size_t last, double energy, std::span<double> energies,
          std::span<double> worths, Shortfalls& shortfalls);

}  // namespace bess
