#include "bess/sweep.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <optional>

namespace bess {
namespace {

// A sum is a difference of larger ones: what is below this part of them is nothing.
constexpr double kResidue = 1e-12;
// What rounding does to the energies of a run is far below this part of them.
constexpr double kSlack = 1e-9;
// As rounding leaves of the largest load where the battery serves all of it, and more.
constexpr double kNoise = 1e-13;

struct StepOfLanes {
  std::optional<LaneRunKind> kind;  // none: the batteries do nothing
  double energy = 0;
  double outlet = 0;
};

StepOfLanes step_of(const Site& site, const Rule& rule, bool grid_to_battery, bool battery_to_grid,
                    std::size_t t) {
  const double net = site.load[t] - site.solar[t];
  const double deficit = std::max(net, 0.0);
  const double surplus = std::max(-net, 0.0);
  const double solar_outlet = site.solar_to_grid ? site.export_limit_at(t) : 0.0;
  const Mode mode = rule.kind == RuleKind::kSurplus ? (net > 0 ? Mode::kDischarge : Mode::kCharge)
                                                    : static_cast<Mode>(rule.modes[t]);
  const bool scheduled = rule.kind == RuleKind::kFixedSchedule;
  if (mode == Mode::kDischarge) {
    const double exported = std::min(surplus, solar_outlet);
    const double beside = std::max(site.export_limit_at(t) - exported, 0.0);
    if (scheduled && battery_to_grid && beside > 0) {
      return {LaneRunKind::kSend, deficit, deficit + beside};
    }
    if (deficit > 0) return {LaneRunKind::kServe, deficit, 0};
  } else if (mode == Mode::kCharge) {
    if (scheduled && grid_to_battery) {
      const auto kind = site.solar[t] > 0 ? LaneRunKind::kTakeBesideSun : LaneRunKind::kTake;
      return {kind, net, solar_outlet};
    }
    if (surplus > 0) return {LaneRunKind::kStoreAndSell, surplus, solar_outlet};
  }
  return {};
}

// How many of the windows, in order, are at step `t`.
std::size_t windows_at(std::span<const Window> windows, std::size_t t) {
  std::size_t count = 0;
  while (count < windows.size() && windows[count].step == t) ++count;
  return count;
}

}  // namespace

SweepProgram::SweepProgram(const Site& site, const Rule& rule, bool grid_to_battery,
                           bool battery_to_grid, const Runs& bins, std::size_t bin_count,
                           const StepPrices& prices, const Watched& watched)
    : energy_(site.steps()),
      solar_(site.solar.begin(), site.solar.end()),
      outlet_(site.steps()),
      common_(bin_count),
      priced_(!prices.buy.empty()),
      counts_hours_(watched.hours),
      held_(!watched.windows.empty()),
      grid_to_battery_(grid_to_battery),
      battery_to_grid_(battery_to_grid) {
  assert(site.import_limit.empty() && site.inverter_limit.empty());
  assert(rule.kind == RuleKind::kSurplus || rule.kind == RuleKind::kFixedSchedule);
  assert(static_cast<std::size_t>(bins.start.back()) == site.steps());
  if (held_) copy_site(site);
  const std::size_t longest = held_ ? kLongestRun : site.steps();
  std::span<const Window> windows = watched.windows;
  std::size_t bin_run = 0;
  bool open = false;  // the step before belongs to the last run
  for (std::size_t t = 0; t < site.steps(); ++t) {
    if (t == static_cast<std::size_t>(bins.start[bin_run + 1])) {
      ++bin_run;
      open = false;
    }
    const auto bin = static_cast<std::uint32_t>(bins.bin[bin_run]);
    const double buy = priced_ ? prices.buy[t] : 0.0;
    const double sell = priced_ ? prices.sell[t] : 0.0;
    auto [kind, energy, outlet] = step_of(site, rule, grid_to_battery, battery_to_grid, t);
    energy_[t] = energy;
    outlet_[t] = outlet;

    Common& common = common_[bin];
    const double net = site.load[t] - site.solar[t];
    common.gross += std::abs(net);
    const bool counts_all =
        kind == LaneRunKind::kTakeBesideSun || kind == LaneRunKind::kStoreAndSell;
    double imported = std::max(net, 0.0);
    double exported =
        site.solar_to_grid ? std::min(std::max(-net, 0.0), site.export_limit_at(t)) : 0.0;
    if (kind == LaneRunKind::kSend || counts_all) imported = 0;
    if (counts_all) exported = 0;
    if (!kind && (held_ || counts_hours_)) {
      kind = LaneRunKind::kRest;
      energy = imported;
    }
    if (!kind) common.peak = std::max(common.peak, imported);
    common.imported += imported;
    common.exported += exported;
    common_cost_ += imported * buy - exported * sell;

    if (!kind) {
      open = false;
      continue;
    }
    const auto here = windows.first(windows_at(windows, t));
    windows = windows.subspan(here.size());
    const bool same = open && runs_.back().kind == *kind && runs_.back().buy == buy &&
                      runs_.back().sell == sell && runs_.back().steps < longest &&
                      (!held_ || goes_on(here));
    if (!same) {
      runs_.push_back({*kind, bin, static_cast<std::uint32_t>(t), 0, energy, 0, 0, 0, buy, sell});
      if (held_) add_run_policy(here);
    }
    open = true;
    LaneRun& run = runs_.back();
    ++run.steps;
    run.most = std::max(run.most, energy);
    run.sum += energy;
    if (held_) {
      run_policies_.back().imported += imported;
      run_policies_.back().exported += exported;
    }
  }
  for (std::size_t r = 0; r < runs_.size(); ++r) {
    LaneRun& run = runs_[r];
    run.slack = kSlack * std::abs(run.sum);
    if (run.kind != LaneRunKind::kStoreAndSell) continue;
    const auto first = outlet_.begin() + run.first;
    const auto [least, most] = std::minmax_element(first, first + run.steps);
    if (*least < run.most && *most > 0) continue;
    run.kind = LaneRunKind::kStore;
    run.sold = *most > 0 ? 1.0 : 0.0;
    const double sold = run.sold * run.sum;
    common_[run.bin].exported += sold;
    common_cost_ -= sold * run.sell;
    if (held_) run_policies_[r].exported += sold;
  }
}

void SweepProgram::copy_site(const Site& site) {
  load_.assign(site.load.begin(), site.load.end());
  solar_outlet_.resize(site.steps());
  battery_outlet_.resize(site.steps());
  for (std::size_t t = 0; t < site.steps(); ++t) {
    solar_outlet_[t] = site.solar_to_grid ? site.export_limit_at(t) : 0.0;
    battery_outlet_[t] = battery_to_grid_ ? site.export_limit_at(t) : 0.0;
  }
  noise_ = kNoise * *std::max_element(load_.begin(), load_.end());
}

bool SweepProgram::goes_on(std::span<const Window> windows) const {
  const LaneRunPolicy& before = run_policies_.back();
  if (windows.size() != before.count || windows.size() > 1) return false;
  return windows.empty() ||
         (windows[0].low == before.window.low && windows[0].high == before.window.high);
}

void SweepProgram::add_run_policy(std::span<const Window> windows) {
  LaneRunPolicy policy{{0.0, 1.0},
                       static_cast<std::uint32_t>(windows_.size()),
                       static_cast<std::uint32_t>(windows.size()),
                       0.0,
                       0.0};
  for (const Window& window : windows) {
    LaneWindow& together = policy.window;
    together = {std::clamp(window.low, together.low, together.high),
                std::clamp(window.high, together.low, together.high)};
    windows_.push_back({window.low, window.high});
  }
  run_policies_.push_back(policy);
}

LaneProgram SweepProgram::lane_program() const {
  return {
      .runs = runs_.data(),
      .count = runs_.size(),
      .series = {energy_.data(), solar_.data(), outlet_.data()},
      .priced = priced_,
      .counts_hours = counts_hours_,
      .policies =
          {
              .runs = held_ ? run_policies_.data() : nullptr,
              .windows = windows_.data(),
              .load = load_.data(),
              .solar_outlet = solar_outlet_.data(),
              .battery_outlet = battery_outlet_.data(),
              .noise = noise_,
              .grid_to_battery = grid_to_battery_,
          },
  };
}

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
      b.grid_per_stored[lane] = 1.0 / (batteries.ac_to_dc_efficiency[i] * kept);
      b.discharged[lane] = b.from_grid[lane] = b.sent[lane] = b.cost[lane] = 0;
      b.full[lane] = b.empty[lane] = b.missed[lane] = 0;
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
    }
  }
}

}  // namespace bess
