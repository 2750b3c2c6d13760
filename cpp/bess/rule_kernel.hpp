// The inner loop of dispatch_rule, built once for each instruction set; all give the same bits.
// Plain data and functions only: nothing inline crosses between translation units that are
// compiled for different machines.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bess/flows.hpp"
#include "bess/rules.hpp"
#include "bess/step_flows.hpp"
#include "bess/step_range.hpp"

namespace bess {

// Steps are worked in packs of this many.
inline constexpr std::size_t kPackSteps = 4;

// A series (mask of all ones), or one pack of values that stands for every pack (mask 0).
struct Source {
  const double* values;
  std::size_t mask;
};

// What a kernel reads, step by step, and the rows it writes. The length of the series is a
// multiple of kPackSteps; energies in kWh AC, but stored energy in kWh DC.
struct Horizon {
  Source load;
  Source solar;
  Source import_limit;
  Source inverter_limit;
  Source solar_outlet;    // the export limit, or 0 where solar may not be exported
  Source battery_outlet;  // the same for the battery
  Source low;             // bounds of the energy stored after the step
  Source high;
  Source asked;              // follow: what the battery shall give, negative where it shall take
  const std::int8_t* modes;  // fixed schedule
  FlowSeries flows;
};

// What all steps have in common.
struct RuleTerms {
  RuleKind kind;
  Rates rates;
  Floors floors;
  double soc_per_energy;
  double retention;
  bool limited;  // there is an import or an inverter limit
  bool grid_charges;
  double unstorable;  // 1 where solar may not be stored: the grid must not charge while it is sold
  double target;
};

// Works `packs` packs of steps, `energy` kWh DC being stored before the first; returns what is
// stored after the last.
double work_packs_baseline(const RuleTerms& terms, const Horizon& horizon, std::size_t packs,
                           double energy);
double work_packs_avx2(const RuleTerms& terms, const Horizon& horizon, std::size_t packs,
                       double energy);

}  // namespace bess
