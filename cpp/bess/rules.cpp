// Lays the arrays of a dispatch out for a kernel (rule_kernel_source.hpp), whose packs of steps the
// end of a horizon need not fill: the last steps are worked in a padded copy.
#include "bess/rules.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "bess/rule_kernel.hpp"

namespace bess {
namespace {

using PackValues = std::array<double, kPackSteps>;

constexpr PackValues constant(double value) {
  PackValues values{};
  for (double& each : values) each = value;
  return values;
}
constexpr PackValues kNothing = constant(0.0);
constexpr PackValues kBoundless = constant(kNoLimit);

Source every_step(const PackValues& values) {
  return {values.data(), 0};
}
Source series(std::span<const double> values) {
  return {values.data(), ~std::size_t{0}};
}
Source limit(std::span<const double> values) {
  return values.empty() ? every_step(kBoundless) : series(values);
}

double work_packs(const RuleTerms& terms, const Horizon& horizon, std::size_t packs, double energy,
                  [[maybe_unused]] InstructionSet instructions) {
#if defined(BESS_AVX2)
  if (instructions >= InstructionSet::kAvx2) return work_packs_avx2(terms, horizon, packs, energy);
#endif
  return work_packs_baseline(terms, horizon, packs, energy);
}

// The last steps of a horizon, from `first` on, which do not fill a pack.
void work_rest(const RuleTerms& terms, Horizon horizon, std::size_t first, double energy,
               InstructionSet instructions) {
  const FlowSeries whole = horizon.flows;
  const std::size_t size = whole.steps - first;
  std::array<PackValues, 9> padded{};
  std::size_t used = 0;
  for (Source* source : {&horizon.load, &horizon.solar, &horizon.import_limit,
                         &horizon.inverter_limit, &horizon.solar_outlet, &horizon.battery_outlet,
                         &horizon.low, &horizon.high, &horizon.asked}) {
    if (source->mask == 0) continue;
    PackValues& copy = padded[used++];
    std::copy_n(source->values + first, size, copy.begin());
    source->values = copy.data();
  }
  std::array<std::int8_t, kPackSteps> modes{};
  if (horizon.modes != nullptr) {
    std::copy_n(horizon.modes + first, size, modes.begin());
    horizon.modes = modes.data();
  }
  std::array<double, kSeriesCount * kPackSteps> rows;
  horizon.flows = {rows.data(), kPackSteps};
  work_packs(terms, horizon, 1, energy, instructions);
  for (std::size_t row = 0; row < kSeriesCount; ++row) {
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(row * kPackSteps), size,
                whole.block + row * whole.steps + first);
  }
}

}  // namespace

InstructionSet widest_instruction_set() {
#if defined(BESS_AVX512)
  if (__builtin_cpu_supports("avx512f")) return InstructionSet::kAvx512;
#endif
#if defined(BESS_AVX2)
  if (__builtin_cpu_supports("avx2")) return InstructionSet::kAvx2;
#endif
  return InstructionSet::kBaseline;
}

void dispatch_rule(const Site& site, const Battery& battery, const Rule& rule,
                   const Corridor& corridor, FlowSeries flows, InstructionSet instructions) {
  assert(flows.steps == site.steps());
  assert(site.inverter_limit.empty() || battery.dc_coupled);
  assert(rule.kind != RuleKind::kFixedSchedule || rule.modes.size() == site.steps());
  assert(rule.kind != RuleKind::kFollow || rule.discharge.size() == site.steps());
  const RuleTerms terms{
      .kind = rule.kind,
      .rates = Rates(site, battery),
      .floors = Floors(battery),
      .soc_per_energy = 1.0 / battery.capacity,
      .retention = battery.retention,
      .limited = !site.import_limit.empty() || !site.inverter_limit.empty(),
      .grid_charges = battery.grid_to_battery,
      .unstorable = battery.solar_to_battery ? 0.0 : 1.0,
      .target = rule.target,
  };
  const bool free = corridor.low.empty();
  const PackValues low = constant(battery.minimum_energy);
  const PackValues high = constant(battery.maximum_energy);
  const Source export_limit = limit(site.export_limit);
  const Source nothing = every_step(kNothing);
  const Horizon horizon{
      .load = series(site.load),
      .solar = series(site.solar),
      .import_limit = limit(site.import_limit),
      .inverter_limit = limit(site.inverter_limit),
      .solar_outlet = site.solar_to_grid ? export_limit : nothing,
      .battery_outlet = battery.battery_to_grid ? export_limit : nothing,
      .low = free ? every_step(low) : series(corridor.low),
      .high = free ? every_step(high) : series(corridor.high),
      .asked = rule.kind == RuleKind::kFollow ? series(rule.discharge) : nothing,
      .modes = rule.kind == RuleKind::kFixedSchedule ? rule.modes.data() : nullptr,
      .flows = flows,
  };
  const std::size_t packs = site.steps() / kPackSteps;
  const double energy = work_packs(terms, horizon, packs, battery.initial_energy, instructions);
  const std::size_t worked = packs * kPackSteps;
  if (worked < site.steps()) work_rest(terms, horizon, worked, energy, instructions);
}

}  // namespace bess
