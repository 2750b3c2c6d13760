#include "bess/sweep.hpp"

#include <algorithm>
#include <limits>

namespace bess {
namespace {

// A sum is a difference of larger ones: what is below this part of them is nothing.
constexpr double kResidue = 1e-12;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Makes all that is found of battery `i` NaN.
void forget(const LaneResults& results, std::size_t i) {
  const std::size_t count = results.stored.size();
  for (const std::span<double> rows :
       {results.imported, results.exported, results.peak, results.discharged, results.from_grid,
        results.sent, results.stored, results.cost, results.full, results.empty, results.missed}) {
    for (std::size_t at = i; at < rows.size(); at += count) rows[at] = kUnknown;
  }
}

}  // namespace

const double* Sweep::reach_for(const SweepProgram& program) {
  const double discharge = block_.discharge[0];
  const double solar_charge = block_.solar_charge[0];
  for (std::size_t i = 1; i < kLanes; ++i) {
    if (block_.discharge[i] != discharge || block_.solar_charge[i] != solar_charge) return nullptr;
  }
  if (reach_discharge_ == discharge && reach_solar_charge_ == solar_charge) return reach_.data();
  reach_discharge_ = discharge;
  reach_solar_charge_ = solar_charge;
  reach_.resize(program.runs_.size());
  for (std::size_t r = 0; r < reach_.size(); ++r) {
    const LaneRun& run = program.runs_[r];
    const double limit = run.kind == LaneRunKind::kServe ? discharge : solar_charge;
    double reach = 0;
    const double* energy = program.energy_.data() + run.first;
    for (std::size_t t = 0; t < run.steps; ++t) {
      reach += energy[t] < limit ? energy[t] : limit;
    }
    reach_[r] = reach;
  }
  return reach_.data();
}

void Sweep::run(const SweepProgram& program, const LaneBatteries& batteries,
                const LaneResults& results, InstructionSet instructions) {
  WorkLanes work = work_lanes_baseline;
#if defined(BESS_AVX2)
  if (instructions == InstructionSet::kAvx2) work = work_lanes_avx2;
#endif
#if defined(BESS_AVX512)
  if (instructions == InstructionSet::kAvx512) work = work_lanes_avx512;
#endif
  const LaneProgram lanes = program.lane_program();
  if (program.held_) {
    corridor_.resize(2 * kGroupLanes * lanes.count);
    narrowing_.resize(lanes.count);
  }
  const LaneCorridor corridor{narrowing_.data(), corridor_.data()};
  reach_discharge_ = -1;
  bins_.resize(program.bins());
  const std::size_t count = batteries.count();
  for (std::size_t first = 0; first < count; first += kLanes) {
    const std::size_t used = std::min(kLanes, count - first);
    LaneBlock& b = block_;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t i = first + std::min(lane, used - 1);  // the tail repeats the last
      const double given = batteries.dc_to_ac_efficiency[i];
      const double kept = batteries.input_efficiency[i] * given;
      const double solar_rate = batteries.solar_ratio[i] * kept;
      b.capacity[lane] = batteries.capacity[i] * given;
      b.minimum[lane] = batteries.minimum_energy[i] * given;
      b.room[lane] = (batteries.maximum_energy[i] - batteries.minimum_energy[i]) * given;
      b.stored[lane] = (batteries.initial_energy[i] - batteries.minimum_energy[i]) * given;
      b.discharge[lane] = batteries.discharge_limit[i] * given;
      b.charge[lane] = batteries.charge_limit[i] * kept;
      b.stored_per_solar[lane] = solar_rate;
      b.solar_per_stored[lane] = solar_rate > 0 ? 1.0 / solar_rate : 0.0;
      b.solar_charge[lane] =
          solar_rate > 0 ? batteries.charge_limit[i] / batteries.solar_ratio[i] : 0.0;
      b.stored_per_grid[lane] = batteries.ac_to_dc_efficiency[i] * kept;
      b.grid_per_stored[lane] = 1.0 / b.stored_per_grid[lane];
      const double lever = solar_rate * b.grid_per_stored[lane] - 1.0;
      b.solar_per_saved[lane] = lever > 0 ? 1.0 / lever : 0.0;
      b.discharged[lane] = b.from_grid[lane] = b.sent[lane] = b.cost[lane] = 0;
      b.full[lane] = b.empty[lane] = b.missed[lane] = b.failed[lane] = 0;
    }
    std::fill(bins_.begin(), bins_.end(), LaneBin{});
    work(lanes, reach_for(program), corridor, b, bins_.data());
    for (std::size_t bin = 0; bin < program.bins(); ++bin) {
      const SweepProgram::Common& common = program.common_[bin];
      const double residue = kResidue * common.gross;
      const std::size_t at = bin * count + first;
      for (std::size_t lane = 0; lane < used; ++lane) {
        const double imported = common.imported + bins_[bin].imported[lane];
        const double exported = common.exported + bins_[bin].exported[lane];
        results.imported[at + lane] = imported > residue ? imported : 0.0;
        results.exported[at + lane] = exported > residue ? exported : 0.0;
        results.peak[at + lane] = std::max(common.peak, bins_[bin].peak[lane]);
      }
    }
    for (std::size_t lane = 0; lane < used; ++lane) {
      const std::size_t i = first + lane;
      results.discharged[i] = b.discharged[lane];
      results.from_grid[i] = b.from_grid[lane];
      results.sent[i] = b.sent[lane];
      results.stored[i] =
          batteries.minimum_energy[i] + b.stored[lane] / batteries.dc_to_ac_efficiency[i];
      results.cost[i] = program.priced() ? program.common_cost_ + b.cost[lane] : 0.0;
      results.full[i] = program.counts_hours_ ? b.full[lane] : 0.0;
      results.empty[i] = program.counts_hours_ ? b.empty[lane] : 0.0;
      results.missed[i] = b.missed[lane];
      if (b.failed[lane] > 0) forget(results, i);
    }
  }
}

}  // namespace bess
