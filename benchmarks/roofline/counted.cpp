// The lane kernel with counted operations: what instructions of a width it takes for a sweep.
#include "bess/lane_kernel_source.hpp"
#include "bess/sweep.hpp"

namespace bess {

void work_lanes_baseline(const LaneProgram& program, const double* reach,
                         const LaneCorridor& corridor, LaneBlock& block, LaneBin* bins) {
  work_lanes(program, reach, corridor, block, bins);
}

}  // namespace bess

// `series`: load, solar and the export limit, [3][steps]; `modes` null for surplus; `batteries`
// [10][count] as in LaneBatteries; what is found is written to `results`, [3][bins][count], and
// arithmetic, loads and stores to `counted`.
extern "C" void count_sweep(const double* series, std::size_t steps, const std::int8_t* modes,
                            bool everything, const std::int32_t* start, const std::int32_t* bin,
                            std::size_t runs, std::size_t bins, const double* batteries,
                            std::size_t count, double* results, double* counted) {
  using namespace bess;
  const auto row = [](const double* from, std::size_t i, std::size_t length) {
    return std::span<const double>(from + i * length, length);
  };
  const Site site{.load = row(series, 0, steps),
                  .solar = row(series, 1, steps),
                  .export_limit = row(series, 2, steps),
                  .import_limit = {},
                  .inverter_limit = {},
                  .solar_dc_to_ac_efficiency = 0.96,
                  .solar_to_grid = true};
  const Rule rule{.kind = modes == nullptr ? RuleKind::kSurplus : RuleKind::kFixedSchedule,
                  .modes = {reinterpret_cast<const std::int8_t*>(modes), modes ? steps : 0},
                  .discharge = {}};
  const SweepProgram program(site, rule, everything, everything,
                             Runs{{start, runs + 1}, {bin, runs}}, bins, StepPrices{}, Watched{});
  const auto property = [&](std::size_t i) { return row(batteries, i, count); };
  const LaneBatteries many{property(0), property(1), property(2), property(3), property(4),
                           property(5), property(6), property(7), property(8), property(9)};
  std::vector<double> rest(8 * count);
  const auto found = [&](std::size_t i) {
    return std::span<double>(results + i * bins * count, bins * count);
  };
  const auto left = [&](std::size_t i) { return std::span<double>(&rest[i * count], count); };
  counts = Counts{};
  Sweep().run(program, many,
              {found(0), found(1), found(2), left(0), left(1), left(2), left(3), left(4), left(5),
               left(6), left(7)},
              InstructionSet::kBaseline);
  counted[0] = counts.arithmetic;
  counted[1] = counts.loads;
  counted[2] = counts.stores;
}
