// A step goes in four moves: energy that the corridors force, by priority; then what the rule
// wants, shared among the devices that are free for it; then the site's flows from the two totals;
// then each device's part of them.
#include "bess/sharing.hpp"

#include <algorithm>

#include "bess/shared_corridor.hpp"

namespace bess {
namespace {

// How far `a` lies above `b`; what is smaller than rounding is nothing.
double beyond(double a, double b, const Battery& battery) {
  const double excess = a - b;
  return excess > 1e-14 * std::max(1e-6, battery.capacity) ? excess : 0.0;
}

class Sharing {
 public:
  Sharing(const Site& site, std::span<const Device> devices)
      : site_(site),
        devices_(devices),
        terms_(devices.front().battery),
        charging_(charging_order(devices)),
        discharging_(discharging_order(devices)),
        bounds_(plan_shared_corridors(site, devices)),
        energy_(devices.size()),
        charge_(devices.size()),
        discharge_(devices.size()),
        could_(devices.size()) {
    for (std::size_t i = 0; i < devices.size(); ++i) energy_[i] = devices[i].battery.initial_energy;
  }

  std::ptrdiff_t run(const Rule& rule, FlowSeries flows,
                     std::span<const DeviceFlows> device_flows) {
    for (std::size_t t = 0; t < site_.steps(); ++t) {
      if (!step(rule, t, flows, device_flows)) return static_cast<std::ptrdiff_t>(t);
    }
    return -1;
  }

 private:
  double low(std::size_t i, std::size_t t) const {
    return bounds_[i].low.empty() ? devices_[i].battery.minimum_energy : bounds_[i].low[t];
  }
  double high(std::size_t i, std::size_t t) const {
    return bounds_[i].high.empty() ? devices_[i].battery.maximum_energy : bounds_[i].high[t];
  }

  // Hands out `wanted` kWh AC: to each what it could take, group after group of equal priority.
  double share(std::span<const std::size_t> order, int Device::* priority, double wanted,
               std::vector<double>& given) {
    double total = 0;
    for (std::size_t first = 0; first < order.size() && wanted > 0;) {
      std::size_t last = first;
      double could = 0;
      for (; last < order.size() &&
             devices_[order[last]].*priority == devices_[order[first]].*priority;
           ++last) {
        could += could_[order[last]];
      }
      const double part = could > wanted ? wanted / could : 1.0;
      for (std::size_t n = first; n < last; ++n) given[order[n]] += part * could_[order[n]];
      total += part * could;
      wanted = part < 1.0 ? 0.0 : wanted - could;
      first = last;
    }
    return total;
  }

  // What the corridors force, as far as `gives` and `takes` reach.
  void force(std::size_t t, double gives, double takes, double& charged, double& discharged) {
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      const Battery& b = devices_[i].battery;
      charge_[i] = discharge_[i] = 0;
      could_[i] = std::min(beyond(low(i, t), energy_[i], b) / into_cells(b), charge_limit_ac(b));
    }
    charged = share(charging_, &Device::charging_priority, gives, charge_);
    if (charges_from_grid(t, charged)) {
      takes = std::min(takes, site_.load[t]);  // the meter imports: nothing is exported
    }
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      const Battery& b = devices_[i].battery;
      could_[i] = charge_[i] > 0
                      ? 0.0
                      : std::min(beyond(energy_[i], high(i, t), b) * b.dc_to_ac_efficiency,
                                 discharge_limit_ac(b));
    }
    discharged = share(discharging_, &Device::discharging_priority, takes, discharge_);
  }

  bool charges_from_grid(std::size_t t, double charged) const {
    const double surplus = std::max(site_.solar[t] - site_.load[t], 0.0);
    return terms_.grid_to_battery && charged > (terms_.solar_to_battery ? surplus : 0.0);
  }

  double charge_more(std::size_t t, double wanted) {
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      const Battery& b = devices_[i].battery;
      const double room = std::max(high(i, t) - energy_[i], 0.0) / into_cells(b);
      could_[i] =
          discharge_[i] > 0 ? 0.0 : std::max(std::min(room, charge_limit_ac(b)) - charge_[i], 0.0);
    }
    return share(charging_, &Device::charging_priority, wanted, charge_);
  }

  double discharge_more(std::size_t t, double wanted) {
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      const Battery& b = devices_[i].battery;
      const double stock = std::max(energy_[i] - low(i, t), 0.0) * b.dc_to_ac_efficiency;
      could_[i] = charge_[i] > 0
                      ? 0.0
                      : std::max(std::min(stock, discharge_limit_ac(b)) - discharge_[i], 0.0);
    }
    return share(discharging_, &Device::discharging_priority, wanted, discharge_);
  }

  bool step(const Rule& rule, std::size_t t, FlowSeries flows,
            std::span<const DeviceFlows> device_flows) {
    for (std::size_t i = 0; i < devices_.size(); ++i) energy_[i] *= devices_[i].battery.retention;
    const double net = site_.load[t] - site_.solar[t];
    const double surplus = std::max(-net, 0.0);
    const double sold = site_.solar_to_grid ? std::min(surplus, site_.export_limit_at(t)) : 0.0;
    const double gives = site_gives(site_, terms_, t);
    double charged = 0;
    double discharged = 0;
    force(t, gives, site_takes(site_, terms_, t), charged, discharged);

    const bool imports_charge = charges_from_grid(t, charged);
    const bool exports_discharge = discharged > std::max(net, 0.0);  // forced out to the grid
    const double sun = terms_.solar_to_battery ? surplus : 0.0;
    const bool grid_waits =
        !terms_.grid_to_battery || exports_discharge || (!terms_.solar_to_battery && sold > 0);
    double want_charge = 0;
    double want_discharge = 0;
    bool sun_first = false;  // the sun serves the battery before the site
    switch (rule.kind) {
      case RuleKind::kSurplus:
        want_charge = sun;
        want_discharge = std::max(net, 0.0);
        break;
      case RuleKind::kFixedSchedule:
        if (rule.modes[t] == static_cast<std::int8_t>(Mode::kCharge)) {
          sun_first = !grid_waits;
          want_charge = !grid_waits ? gives : terms_.solar_to_battery ? sun : 0.0;
        } else if (rule.modes[t] == static_cast<std::int8_t>(Mode::kDischarge)) {
          want_discharge = std::max(net, 0.0);
          if (terms_.battery_to_grid && !imports_charge) {
            want_discharge += site_.export_limit_at(t) - sold;
          }
        }
        break;
      case RuleKind::kFollow:
        want_charge = std::min(std::max(-rule.discharge[t], 0.0), exports_discharge ? sun : gives);
        want_discharge = std::min(std::max(rule.discharge[t], 0.0),
                                  imports_charge ? site_.load[t] : site_takes(site_, terms_, t));
        break;
      case RuleKind::kPeakShaving: {
        const double ceiling = std::min(rule.target, site_.import_limit_at(t));
        const double headroom = std::max(ceiling - std::max(net, 0.0), 0.0);
        want_charge = sun + (grid_waits ? 0.0 : headroom);
        want_discharge = std::max(net - rule.target, 0.0);
        break;
      }
    }
    want_discharge = std::max(want_discharge, net - site_.import_limit_at(t) + charged);
    if (want_charge > charged) charged += charge_more(t, want_charge - charged);
    if (want_discharge > discharged) discharged += discharge_more(t, want_discharge - discharged);
    return settle_step(t, charged, discharged, sun_first, flows, device_flows);
  }

  bool settle_step(std::size_t t, double charged, double discharged, bool sun_first,
                   FlowSeries flows, std::span<const DeviceFlows> device_flows) {
    const double load = site_.load[t];
    const double solar = site_.solar[t];
    const double rounding = 1e-12 * std::max({1e-6, load, solar, charged, discharged});
    StepFlows f;
    const double surplus = std::max(solar - load, 0.0);
    // Where charging needs the grid, nothing is exported: a discharge serves the site, and the sun
    // it displaces charges.
    const bool imports_charge = terms_.grid_to_battery && charged > (sun_first ? solar : surplus);
    const double unserved = imports_charge ? std::max(load - discharged, 0.0) : load;
    const double reach = sun_first ? solar : std::max(solar - unserved, 0.0);
    f.solar_to_battery = !terms_.solar_to_battery ? 0.0
                         : terms_.grid_to_battery ? std::min(charged, reach)
                                                  : charged;
    f.grid_to_battery = charged - f.solar_to_battery;
    if (f.grid_to_battery <= rounding && terms_.solar_to_battery) {
      f.grid_to_battery = 0;
      f.solar_to_battery = charged;
    }
    const double sun = std::max(solar - f.solar_to_battery, 0.0);
    const bool may_export = terms_.battery_to_grid && f.grid_to_battery == 0;
    const double outlet = may_export ? site_.export_limit_at(t) : 0.0;
    const double promised = std::max(discharged - outlet, 0.0);
    f.solar_to_site = std::min(sun, std::max(load - promised, 0.0));
    f.battery_to_site = std::min(discharged, load - f.solar_to_site);
    f.battery_to_grid = discharged - f.battery_to_site;
    if (f.battery_to_grid <= rounding) f.battery_to_grid = 0;
    if (f.battery_to_grid == 0) f.battery_to_site = discharged;
    f.grid_to_site = load - f.solar_to_site - f.battery_to_site;
    if (f.grid_to_site <= rounding) f.grid_to_site = 0;
    const double rest = std::max(sun - f.solar_to_site, 0.0);
    if (site_.solar_to_grid && f.import() == 0) {
      f.solar_to_grid = std::min(rest, std::max(site_.export_limit_at(t) - f.battery_to_grid, 0.0));
    }
    f.solar_curtailed = rest - f.solar_to_grid;
    if (f.import() > site_.import_limit_at(t) + 1e-9 * std::max(1.0, load)) return false;
    double stored = 0;
    double capacity = 0;
    double solar_dc = 0;
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      const Battery& b = devices_[i].battery;
      energy_[i] += charge_[i] * into_cells(b) - discharge_[i] / b.dc_to_ac_efficiency;
      energy_[i] = std::clamp(energy_[i], b.minimum_energy, b.maximum_energy);
      device_flows[i].row(DeviceSeries::kStateOfCharge)[t] = energy_[i] / b.capacity;
      stored += energy_[i];
      capacity += b.capacity;
    }
    write_device_flows(devices_, f, {charge_, discharge_, charging_, discharging_}, t,
                       device_flows);
    for (const DeviceFlows& d : device_flows) solar_dc += d.row(DeviceSeries::kSolarToBattery)[t];
    write_site_flows(site_, f, solar_dc, stored / capacity, t, flows);
    return true;
  }

  const Site& site_;
  std::span<const Device> devices_;
  const Battery& terms_;  // the permissions, which all devices share
  std::vector<std::size_t> charging_;
  std::vector<std::size_t> discharging_;
  std::vector<EnergyBounds> bounds_;
  std::vector<double> energy_;  // kWh DC stored
  std::vector<double> charge_;  // kWh AC in the step
  std::vector<double> discharge_;
  std::vector<double> could_;  // kWh AC each could still take or give
};

}  // namespace

std::ptrdiff_t dispatch_shared(const Site& site, std::span<const Device> devices, const Rule& rule,
                               FlowSeries flows, std::span<const DeviceFlows> device_flows) {
  return Sharing(site, devices).run(rule, flows, device_flows);
}

}  // namespace bess
