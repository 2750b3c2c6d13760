// Two passes. Forward, R_t = (r R_{t-1} + [least_t, most_t]) within the battery's limits is the set
// of energies that can be reached; a window that R_t misses is replaced by the point of R_t next
// to it, which gives the earlier of two conflicting windows precedence. Backward, the corridor is
// C_{t-1} = (C_t - [least_t, most_t]) / r within the limits, started anew at the last window. Both
// sets are intervals, because what a step can do does not depend on what is stored; r is what a
// step leaves of it.
#include "bess/corridor.hpp"

#include <algorithm>

#include "bess/step_range.hpp"

namespace bess {

namespace {

ChangeRange change_range_at(const Rates& rates, const Site& site, const Battery& battery,
                            std::size_t t) {
  const Energies<double, true> step = energies_at(site, battery, t);
  return {least_change(rates, step), most_change(rates, step)};
}

}  // namespace

ChangeRange change_range(const Site& site, const Battery& battery, std::size_t t) {
  return change_range_at(Rates(site, battery), site, battery, t);
}

std::vector<double> kept_energies(const Site& site, const Battery& battery, double level) {
  if (battery.retention == 1.0 || level == 0) return {};
  const Rates rates(site, battery);
  std::vector<double> kept(site.steps());
  bool sinks = false;
  double energy = level;
  for (std::size_t t = 0; t < kept.size(); ++t) {
    const double output = std::min(site.solar[t], site.inverter_limit_at(t));
    const bool exports = site.solar_to_grid && output > site.load[t];
    const bool may_charge = battery.solar_to_battery || !exports;
    const double most = may_charge ? change_range_at(rates, site, battery, t).most : 0.0;
    energy = std::min(energy * battery.retention + std::max(most, 0.0), level);
    sinks = sinks || energy < level;
    kept[t] = energy;
  }
  if (!sinks) kept.clear();
  return kept;
}

Corridor make_corridor(const Site& site, const Battery& battery, std::span<const Window> windows,
                       double earliest_low, double earliest_high) {
  Corridor corridor;
  const std::vector<double> least = least_energies(site, battery);
  const auto lowest = [&](std::size_t t) {
    return least.empty() ? battery.minimum_energy : least[t];
  };
  const bool limited = !site.import_limit.empty() || !least.empty();
  const std::size_t end = limited ? site.steps() : windows.empty() ? 0 : windows.back().step + 1;
  if (end == 0) return corridor;

  const Rates rates(site, battery);
  const double rounding = 1e-12 * battery.capacity;
  std::vector<ChangeRange> ranges(end);
  double low = earliest_low;
  double high = earliest_high;
  std::size_t next = 0;
  for (std::size_t t = 0; t < end; ++t) {
    ranges[t] = change_range_at(rates, site, battery, t);
    const ChangeRange range = ranges[t];
    low = std::max(low * battery.retention + range.least, lowest(t));
    high = std::min(high * battery.retention + range.most, battery.maximum_energy);
    if (range.least > range.most + rounding || low > high + rounding) {
      corridor.infeasible_step = static_cast<std::ptrdiff_t>(t);
      corridor.shortfall = std::max(range.least - range.most, low - high);
      return corridor;
    }
    low = std::min(low, high);
    for (; next < windows.size() && windows[next].step == t; ++next) {
      const Window window = windows[next];
      const double missing = std::max(window.low - high, low - window.high);
      if (missing > rounding && corridor.first_missed < 0) {
        corridor.first_missed = static_cast<std::ptrdiff_t>(next);
        corridor.shortfall = missing;
      }
      const double reached_low = std::clamp(window.low, low, high);
      const double reached_high = std::clamp(window.high, low, high);
      low = reached_low;
      high = reached_high;
      corridor.attained.push_back({t, low, high});
    }
  }

  corridor.low.assign(site.steps(), battery.minimum_energy);
  corridor.high.assign(site.steps(), battery.maximum_energy);
  low = lowest(end - 1);
  high = battery.maximum_energy;
  std::size_t left = corridor.attained.size();
  for (std::size_t t = end; t-- > 0;) {
    for (; left > 0 && corridor.attained[left - 1].step == t; --left) {
      low = std::max(low, corridor.attained[left - 1].low);
      high = std::min(high, corridor.attained[left - 1].high);
    }
    corridor.low[t] = std::min(low, high);
    corridor.high[t] = high;
    const double before = t > 0 ? lowest(t - 1) : 0.0;
    const bool kept = low == lowest(t) && ranges[t].most >= 0;  // from the least before the step
    low = kept ? before : std::max((low - ranges[t].most) / battery.retention, before);
    high = std::min((high - ranges[t].least) / battery.retention, battery.maximum_energy);
  }
  return corridor;
}

}  // namespace bess
