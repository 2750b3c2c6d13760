// Charges and limits that depend on more than one step (demand, bands, netting, minimum bills,
// cycles, emissions), joined to the linear program of the steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bess/linear_program.hpp"

namespace bess {

// Rows over the meter's energies, over what leaves the devices' cells (kWh DC in all steps
// together) and over columns of their own:
//
//   lower <= sum over steps of (import_factor * import + export_factor * export)
//            + sum over devices of drawn_factor * drawn
//            + sum over columns of value * column <= upper,      in kWh or in money.
//
// Requires: step_start rises, one more than steps; start likewise, one more than columns; rows in
// range; every column bounded.
struct Coupling {
  std::span<const std::int32_t> step_start;  // the entries of each step
  std::span<const std::int32_t> step_row;
  std::span<const double> import_factor;
  std::span<const double> export_factor;
  std::span<const std::int32_t> drawn_device;  // the few entries of what devices draw
  std::span<const std::int32_t> drawn_row;
  std::span<const double> drawn_factor;
  std::span<const double> column_cost;  // money for each unit
  std::span<const double> column_lower;
  std::span<const double> column_upper;
  std::span<const std::int32_t> integrality;  // 1: a binary column
  std::span<const std::int32_t> start;        // the entries of each column
  std::span<const std::int32_t> index;
  std::span<const double> value;
  std::span<const double> row_lower;
  std::span<const double> row_upper;
  double offset;  // money, whatever is done
};

// The program with the coupling's rows after its own, and the coupling's columns after its own.
LinearProgram couple(const LinearProgram& program, const Coupling& coupling);

}  // namespace bess
