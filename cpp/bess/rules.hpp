// Dispatch by rule: surplus, fixed schedule, follow, peak shaving, for one battery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bess/battery.hpp"
#include "bess/corridor.hpp"
#include "bess/flows.hpp"
#include "bess/site.hpp"

namespace bess {

enum class RuleKind { kSurplus, kFixedSchedule, kFollow, kPeakShaving };

enum class Mode : std::int8_t { kDischarge = -1, kIdle = 0, kCharge = 1 };

// A rule and its data; only what the kind needs is filled.
struct Rule {
  RuleKind kind;
  std::span<const std::int8_t> modes;  // fixed schedule: one Mode a step
  std::span<const double> discharge;   // follow: kWh AC in a step, positive discharging
  double target = 0;                   // peak shaving: kWh AC of import in a step
};

// What the arithmetic of a rule is compiled for; every set gives the same bits.
enum class InstructionSet { kBaseline, kAvx2, kAvx512 };

// The widest that this build and this machine have; the narrower ones run too.
InstructionSet widest_instruction_set();

// Dispatches one battery by a rule and writes every series of the result.
// Requires: series of `flows` and of the rule have site.steps() values; the corridor is of this
// site and battery, and feasible. Never allocates. At most about 6 ns a step.
void dispatch_rule(const Site& site, const Battery& battery, const Rule& rule,
                   const Corridor& corridor, FlowSeries flows,
                   InstructionSet instructions = widest_instruction_set());

}  // namespace bess
