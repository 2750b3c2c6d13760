// Going backwards, each device in order of priority takes what its latest-moment plan needs of a
// step, and those after it plan with the rest; so if each stays in its corridor, all of them can at
// once.
#include "bess/shared_corridor.hpp"

#include <algorithm>

namespace bess {
namespace {

class Planner {
 public:
  Planner(const Site& site, std::span<const Device> devices)
      : site_(site),
        devices_(devices),
        terms_(devices.front().battery),
        charging_(charging_order(devices)),
        discharging_(discharging_order(devices)) {}

  std::vector<EnergyBounds> plan() {
    const bool limited = !site_.import_limit.empty();
    std::size_t end = limited ? site_.steps() : 0;
    std::vector<std::vector<Window>> windows(devices_.size());
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      const Battery& b = devices_[i].battery;
      Site alone = site_;
      alone.import_limit = {};
      windows[i] =
          make_corridor(alone, b, devices_[i].windows, b.initial_energy, b.initial_energy).attained;
      if (!windows[i].empty()) end = std::max(end, windows[i].back().step + 1);
      if (limited) reachable_.push_back(most_before_steps(b, windows[i]));
    }
    std::vector<EnergyBounds> bounds(devices_.size());
    if (end == 0) return bounds;
    std::vector<double> low;
    std::vector<double> high;
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      low.push_back(devices_[i].battery.minimum_energy);
      high.push_back(devices_[i].battery.maximum_energy);
      bounds[i].low.assign(site_.steps(), low[i]);
      bounds[i].high.assign(site_.steps(), high[i]);
    }
    for (std::size_t t = end; t-- > 0;) {
      for (std::size_t i = 0; i < devices_.size(); ++i) {
        for (; !windows[i].empty() && windows[i].back().step == t; windows[i].pop_back()) {
          low[i] = std::max(low[i], windows[i].back().low);
          high[i] = std::min(high[i], windows[i].back().high);
        }
        bounds[i].low[t] = std::min(low[i], high[i]);
        bounds[i].high[t] = high[i];
      }
      step_back(t, low, high);
    }
    return bounds;
  }

 private:
  // The most energy a device could hold before each step if all that the site gives were its own.
  std::vector<double> most_before_steps(const Battery& b, std::span<const Window> windows) const {
    std::vector<double> most(site_.steps());
    double energy = b.initial_energy;
    std::size_t next = 0;
    for (std::size_t t = 0; t < site_.steps(); ++t) {
      most[t] = energy;
      const double gain = std::max(change_range(site_, b, t).most, 0.0);
      energy = std::min(energy * b.retention + gain, b.maximum_energy);
      for (; next < windows.size() && windows[next].step == t; ++next) {
        energy = std::min(energy, windows[next].high);
      }
    }
    return most;
  }

  // What the bounds after a step ask before its charge and discharge, and so before its losses.
  void step_back(std::size_t t, std::vector<double>& low, std::vector<double>& high) const {
    double gives = site_gives(site_, terms_, t);
    for (const std::size_t i : charging_) {
      const Battery& b = devices_[i].battery;
      const double needed = std::max(low[i] - b.minimum_energy * b.retention, 0.0);
      const double planned = std::min({charge_limit_ac(b), gives, needed / into_cells(b)});
      low[i] -= planned * into_cells(b);
      gives -= planned;
    }
    double takes = site_takes(site_, terms_, t);
    double owed = std::max(site_.load[t] - site_.solar[t] - site_.import_limit_at(t), 0.0);
    for (const std::size_t i : discharging_) {
      const Battery& b = devices_[i].battery;
      const double unneeded = std::max(b.maximum_energy * b.retention - high[i], 0.0);
      const double planned =
          std::min({discharge_limit_ac(b), takes, unneeded * b.dc_to_ac_efficiency});
      high[i] += planned / b.dc_to_ac_efficiency;
      takes -= planned;
      if (owed > 0) {  // kept by the first who can have it, the rest by those after
        const double held = reachable_[i][t] * b.retention;
        const double room = std::max(held - low[i], 0.0) * b.dc_to_ac_efficiency;
        const double kept = std::min({discharge_limit_ac(b), owed, room});
        low[i] += kept / b.dc_to_ac_efficiency;
        owed -= kept;
      }
      high[i] = std::max(high[i], low[i]);
      low[i] = std::min(low[i] / b.retention, b.maximum_energy);
      high[i] = std::min(high[i] / b.retention, b.maximum_energy);
    }
  }

  const Site& site_;
  std::span<const Device> devices_;
  const Battery& terms_;  // the permissions, which all devices share
  std::vector<std::size_t> charging_;
  std::vector<std::size_t> discharging_;
  std::vector<std::vector<double>> reachable_;  // for each device, where there is an import limit
};

}  // namespace

// AC energy the site can give to all devices together in step t, and take from them.
double site_gives(const Site& site, const Battery& terms, std::size_t t) {
  const double spare = std::max(site.solar[t] + site.import_limit_at(t) - site.load[t], 0.0);
  const double sun = terms.solar_to_battery ? site.solar[t] : 0.0;
  const double unserved = std::max(site.load[t] - site.solar[t], 0.0);
  const double grid =
      terms.grid_to_battery ? std::max(site.import_limit_at(t) - unserved, 0.0) : 0.0;
  return terms.grid_to_battery && terms.solar_to_battery ? spare : std::min(spare, sun + grid);
}
double site_takes(const Site& site, const Battery& terms, std::size_t t) {
  return site.load[t] + (terms.battery_to_grid ? site.export_limit_at(t) : 0.0);
}

std::vector<double> kept_at_end(const Site& site, std::span<const Device> devices) {
  std::vector<double> kept;
  for (const Device& device : devices) kept.push_back(device.battery.initial_energy);
  if (devices.size() == 1) {
    const std::vector<double> energies = kept_energies(site, devices.front().battery, kept.front());
    if (!energies.empty()) kept.front() = energies.back();
    return kept;
  }
  const std::vector<std::size_t> order = charging_order(devices);
  for (std::size_t t = 0; t < site.steps(); ++t) {
    double gives = site_gives(site, devices.front().battery, t);
    for (const std::size_t i : order) {
      const Battery& b = devices[i].battery;
      const double lost = b.initial_energy - kept[i] * b.retention;
      const double given = std::min({lost / into_cells(b), charge_limit_ac(b), gives});
      kept[i] = kept[i] * b.retention + given * into_cells(b);
      gives -= given;
    }
  }
  return kept;
}

std::vector<EnergyBounds> plan_shared_corridors(const Site& site, std::span<const Device> devices) {
  return Planner(site, devices).plan();
}

}  // namespace bess
