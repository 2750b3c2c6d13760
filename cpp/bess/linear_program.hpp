// The problem as LP or MILP arrays for HiGHS, and the bound that its duals prove.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bess/large_vector.hpp"
#include "bess/problem.hpp"

namespace bess {

// Where a step's variables stand in a program with a column for each flow: 2 site columns and 5 for
// each device; the binary columns of the exclusive steps come after all of them.
struct ColumnLayout {
  std::size_t devices;

  std::size_t per_step() const { return 2 + 5 * devices; }
  std::size_t solar_to_site(std::size_t t) const { return t * per_step(); }
  std::size_t solar_to_grid(std::size_t t) const { return t * per_step() + 1; }
  std::size_t device(std::size_t t, std::size_t i) const { return t * per_step() + 2 + 5 * i; }
  // Offsets from device(t, i); solar_to_battery in kWh DC. The energy after the step comes last.
  static constexpr std::size_t kSolarToBattery = 0;
  static constexpr std::size_t kGridToBattery = 1;
  static constexpr std::size_t kBatteryToSite = 2;
  static constexpr std::size_t kBatteryToGrid = 3;
};

// Column-wise arrays of: minimise column_cost x, row_lower <= A x <= row_upper, bounds on x.
// Energies are in `energy_unit` kWh and costs in `cost_unit` money, so that numbers are near 1;
// money = objective * cost_unit * energy_unit + offset.
//
// The columns of a step are consecutive, and its last columns of each device are stored energies. A
// step's import is base_import plus the sum of import_per_column * column over its columns, and its
// export likewise, unless the solution does both at once at a price that pays for it. What leaves a
// device's cells in the step, kWh DC, is the sum of drawn_per_column * column over its columns.
struct LinearProgram {
  LargeVector<double> column_cost;
  LargeVector<double> tie_cost;  // what to add to column_cost so that ties fall to least throughput
  LargeVector<double> column_lower;
  LargeVector<double> column_upper;
  LargeVector<double> row_lower;
  LargeVector<double> row_upper;
  LargeVector<std::int32_t> start;  // one more than columns
  LargeVector<std::int32_t> index;
  LargeVector<double> value;
  LargeVector<std::int32_t> integrality;  // 0 continuous, 1 integer
  LargeVector<double> import_per_column;
  LargeVector<double> export_per_column;
  LargeVector<double> drawn_per_column;
  LargeVector<double> base_import;  // kWh AC, of each step
  LargeVector<double> base_export;
  LargeVector<std::int32_t> step_column;  // of each step, its first column; one more than steps
  double energy_unit = 1;
  double cost_unit = 1;
  double offset = 0;  // money
  ColumnLayout layout{};
  bool has_flows = true;  // false: a step's columns are not the flows of `layout`

  // The column of a device's energy after a step, kWh DC.
  std::size_t energy_column(std::size_t t, std::size_t i) const {
    const auto end = static_cast<std::size_t>(step_column[t + 1]);
    return end - 1 - (layout.devices - 1 - i) * (has_flows ? 5 : 1);
  }
  // The device of a column of step t that draws from one.
  std::size_t device_of(std::size_t t, std::size_t j) const {
    return has_flows ? (j - layout.device(t, 0)) / 5 : 0;
  }
};

// `exclusive` marks the steps whose two either-ors (charge or discharge, import or export) are
// modelled with binaries; empty: none. O(steps * devices).
// Requires: fewer than 2^31 matrix entries.
LinearProgram build_linear_program(const Problem& problem, std::span<const std::uint8_t> exclusive);

// A lower bound on the optimum in money, valid for whatever row duals (in the program's units):
// weak duality over the boxes of columns and rows. The boxes of columns are given, for a program of
// which some are fixed.
double dual_bound(const LinearProgram& program, std::span<const double> row_dual,
                  std::span<const double> column_lower, std::span<const double> column_upper);

}  // namespace bess
