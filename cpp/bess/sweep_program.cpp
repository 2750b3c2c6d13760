// What batteries have in common, laid out in runs of steps (sweep.hpp).
#include <algorithm>
#include <cassert>
#include <cmath>
#include <optional>

#include "bess/sweep.hpp"

namespace bess {
namespace {

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
      held_(!watched.windows.empty() || !site.import_limit.empty()),
      grid_to_battery_(grid_to_battery),
      battery_to_grid_(battery_to_grid) {
  assert(site.inverter_limit.empty());
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
      LaneRunPolicy& own = run_policies_.back();
      own.imported += imported;
      own.exported += exported;
      const double headroom = site.import_limit_at(t) - site.load[t];
      own.overloaded = own.overloaded || site.solar[t] + headroom < 0;
      own.headroom = std::min(own.headroom, headroom);
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
  import_limit_.assign(site.import_limit.begin(), site.import_limit.end());
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
                       false,
                       kNoLimit,
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
              .import_limit = import_limit_.empty() ? nullptr : import_limit_.data(),
              .solar_outlet = solar_outlet_.data(),
              .battery_outlet = battery_outlet_.data(),
              .noise = noise_,
              .grid_to_battery = grid_to_battery_,
          },
  };
}

}  // namespace bess
