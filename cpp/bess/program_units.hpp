// What every builder of a linear program does alike: its units, and the windows on stored energy.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "bess/corridor.hpp"
#include "bess/device_terms.hpp"
#include "bess/linear_program.hpp"

namespace bess {

// In units of the largest price: small against any price difference, large against tolerances.
inline constexpr double kTieCost = 1e-7;

// An energy in a program's units. What is less than a solver can tell from nothing is nothing: a
// bound of 1e-77 makes programs that are feasible by less than a solver's tolerances.
inline double in_units(double energy, double energy_unit) {
  constexpr double kNothing = 1e-11;
  const double number = energy / energy_unit;
  return std::abs(number) < kNothing ? 0.0 : number;
}

inline double largest(std::span<const double> values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

// Numbers near 1: energies in the site's largest, or in the batteries' if that is smaller, or if
// the site's is so small that stored energies, or what is lost of them, would be out of all
// proportion.
inline void choose_units(const Problem& problem, LinearProgram& program) {
  double power = 0;
  double wear = 0;
  double decaying = 0;
  for (const Device& device : problem.devices) {
    if (device.battery.retention < 1) decaying = std::max(decaying, device.battery.capacity);
    power = std::max({power, charge_bound(device.battery), discharge_bound(device.battery)});
    wear = std::max(wear, device.battery.degradation_cost);
  }
  const double site = std::max(largest(problem.site.load), largest(problem.site.solar));
  program.energy_unit = site > 1e-6 * std::max(power, decaying) ? std::min(site, power) : power;
  double price = std::max({largest(problem.import_price), largest(problem.export_price), wear});
  for (const Device& device : problem.devices) {
    for (const Worth& worth : device.end_worth) price = std::max(price, std::abs(worth.value));
  }
  program.cost_unit = price > 0 ? price : 1.0;
}

// Whether a battery loses less in a step than a solver tells from nothing.
inline bool kept_in_one_step(const Battery& b) {
  return 1 - b.retention < 1e-8;
}

inline void bound_energies(const Problem& problem, LinearProgram& program) {
  constexpr double kRounding = 1e-12;  // relative
  for (std::size_t i = 0; i < problem.devices.size(); ++i) {
    const std::vector<double> least = least_energies(problem.site, problem.devices[i].battery);
    for (std::size_t t = 0; t < least.size(); ++t) {
      program.column_lower[program.energy_column(t, i)] = least[t] / program.energy_unit;
    }
    for (const Window& window : problem.devices[i].windows) {
      const std::size_t j = program.energy_column(window.step, i);
      double& lower = program.column_lower[j];
      double& upper = program.column_upper[j];
      lower = std::max(lower, window.low / program.energy_unit);
      upper = std::min(upper, window.high / program.energy_unit);
      // What crosses by rounding is a point; other bounds that cross make the program infeasible.
      if (lower > upper && lower - upper <= kRounding * std::abs(lower)) upper = lower;
    }
    if (problem.cyclic) {  // the start, too, which self-discharge has taken nothing from
      double& lower = program.column_lower[program.energy_column(problem.site.steps() - 1, i)];
      lower = std::max(lower, problem.devices[i].battery.minimum_energy / program.energy_unit);
    }
  }
}

// What the energy left is worth: where that changes with its amount, a column for each worth, and a
// row in which they add up to the energy; both after all others.
inline void value_end(const Problem& problem, LinearProgram& program) {
  for (std::size_t i = 0; i < problem.devices.size(); ++i) {
    const std::vector<Worth>& worths = problem.devices[i].end_worth;
    if (worths.empty()) continue;
    const double most = problem.devices[i].battery.maximum_energy;
    const std::size_t energy = program.energy_column(problem.site.steps() - 1, i);
    if (worths.front().width >= most) {
      program.column_cost[energy] -= worths.front().value / program.cost_unit;
      continue;
    }
    const auto row = static_cast<std::int32_t>(program.row_lower.size());
    program.row_lower.push_back(0);
    program.row_upper.push_back(0);
    const auto place = program.start[energy + 1];
    program.index.insert(program.index.begin() + place, row);
    program.value.insert(program.value.begin() + place, -1);
    for (std::size_t j = energy + 1; j < program.start.size(); ++j) ++program.start[j];
    double left = most;
    const auto add = [&](double value, double width) {
      for (auto* numbers : {&program.tie_cost, &program.column_lower, &program.import_per_column,
                            &program.export_per_column, &program.drawn_per_column}) {
        numbers->push_back(0);
      }
      program.column_cost.push_back(-value / program.cost_unit);
      program.column_upper.push_back(std::min(width, left) / program.energy_unit);
      program.integrality.push_back(0);
      program.index.push_back(row);
      program.value.push_back(1);
      program.start.push_back(static_cast<std::int32_t>(program.index.size()));
      left = std::max(left - width, 0.0);
    };
    for (const Worth& worth : worths) add(worth.value, worth.width);
    add(0, kNoLimit);
  }
}

}  // namespace bess
