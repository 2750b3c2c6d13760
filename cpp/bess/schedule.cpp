// Where neither importing earns money nor exporting costs any, flows follow from the change of
// energy by arithmetic without branches, four steps at once: the solar share of a charge is the
// surplus or, where the sun's way into the battery is the better one and import costs something,
// whatever the sun gives. Other steps are settled one by one.
#include "bess/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "bess/pack.hpp"
#include "bess/step_flows.hpp"
#include "bess/step_range.hpp"

namespace bess {
namespace {

constexpr double kRounding = 1e-14;  // relative to the capacity

class Writer {
 public:
  Writer(const Problem& problem, std::span<const double> energy, FlowSeries flows,
         DeviceFlows device_flows)
      : problem_(problem),
        battery_(problem.devices.front().battery),
        rates_(problem.site, battery_),
        floors_(floors_of(problem)),
        terms_{rates_.solar_ratio,       rates_.grid_ratio,         battery_.grid_to_battery,
               battery_.battery_to_grid, battery_.solar_to_battery, problem.site.solar_to_grid},
        sun_is_better_(rates_.solar_ratio > rates_.grid_ratio),
        soc_per_energy_(1.0 / battery_.capacity),
        rounding_(kRounding * battery_.capacity),
        energy_(energy),
        flows_(flows),
        device_flows_(device_flows) {}

  Schedule run() {
    const std::size_t steps = energy_.size();
    const Site& site = problem_.site;
    const bool limited = !site.import_limit.empty() || !site.inverter_limit.empty();
    if (steps > 0) settle_step(0);
    std::size_t t = 1;
    for (; t + Pack::kLanes <= steps; t += Pack::kLanes) {
      if (!follow_merit(t)) {
        for (std::size_t i = t; i < t + Pack::kLanes; ++i) settle_step(i);
      } else if (limited) {
        work_pack<true>(t);
      } else {
        work_pack<false>(t);
      }
    }
    for (; t < steps; ++t) settle_step(t);
    double lanes[Pack::kLanes];
    cost_.write(lanes);
    for (const double lane : lanes) schedule_.cost += lane;
    return schedule_;
  }

 private:
  bool follow_merit(std::size_t t) const {
    const double* buy = problem_.import_price.data() + t;
    const double* sell = problem_.export_price.data() + t;
    bool follow = true;
    for (std::size_t i = 0; i < Pack::kLanes; ++i) {
      follow &= buy[i] >= 0 && sell[i] >= 0 && (buy[i] > 0 || !sun_is_better_);
    }
    return follow;
  }

  template <bool kLimited>
  void work_pack(std::size_t t) {
    const Site& site = problem_.site;
    const Pack limit = limit_from(site.export_limit, t);
    const Energies<Pack, kLimited> step{
        .load = Pack::from(site.load.data() + t),
        .solar = Pack::from(site.solar.data() + t),
        .import_limit = limit_from(site.import_limit, t),
        .inverter_limit = limit_from(site.inverter_limit, t),
        .solar_outlet = site.solar_to_grid ? limit : Pack(0.0),
        .battery_outlet = battery_.battery_to_grid ? limit : Pack(0.0),
    };
    const Pack after = Pack::from(energy_.data() + t);
    const Pack moved = after - Pack::from(energy_.data() + t - 1) * battery_.retention;
    const Pack change = zero_unless_above(most_of(moved, Pack(0.0) - moved), rounding_, moved);
    const Pack reach = (sun_is_better_ ? step.solar : step.surplus()) * rates_.storable_solar;
    const Flows<Pack> f = flows_of_change(rates_, floors_, step, change, reach);
    const Pack state_of_charge = after * soc_per_energy_;
    write(Series::kGridToSite, t, f.grid_to_site);
    write(Series::kGridToBattery, t, f.grid_to_battery);
    write(Series::kSolarToBattery, t, f.solar_to_battery);
    write(Series::kSolarToSite, t, f.solar_to_site);
    write(Series::kSolarToGrid, t, f.solar_to_grid);
    write(Series::kSolarCurtailed, t, f.solar_curtailed);
    write(Series::kBatteryToSite, t, f.battery_to_site);
    write(Series::kBatteryToGrid, t, f.battery_to_grid);
    write(Series::kNetLoad, t, f.net_load);
    write(Series::kStateOfCharge, t, state_of_charge);
    write(DeviceSeries::kGridToBattery, t, f.grid_to_battery);
    write(DeviceSeries::kSolarToBattery, t, f.solar_to_battery);
    write(DeviceSeries::kBatteryToSite, t, f.battery_to_site);
    write(DeviceSeries::kBatteryToGrid, t, f.battery_to_grid);
    write(DeviceSeries::kStateOfCharge, t, state_of_charge);
    const Pack bought = f.grid_to_site + f.grid_to_battery;
    const Pack sold = f.solar_to_grid + f.battery_to_grid;
    const Pack drawn = most_of(Pack(0.0) - change, 0.0);
    cost_ = cost_ + (Pack::from(problem_.import_price.data() + t) * bought -
                     Pack::from(problem_.export_price.data() + t) * sold +
                     drawn * battery_.degradation_cost);
  }

  static Pack limit_from(std::span<const double> limit, std::size_t t) {
    return limit.empty() ? Pack(kNoLimit) : Pack::from(limit.data() + t);
  }

  // Rounding is relative to the step's energies where these are larger than the battery.
  static Floors floors_of(const Problem& problem) {
    Floors floors(problem.devices.front().battery);
    double largest = 0;
    for (const double energy : problem.site.load) largest = std::max(largest, energy);
    for (const double energy : problem.site.solar) largest = std::max(largest, energy);
    for (double* floor : {&floors.energy, &floors.grid_charge, &floors.battery_export}) {
      if (*floor >= 0) *floor = std::max(*floor, kRounding * largest);
    }
    return floors;
  }

  void settle_step(std::size_t t) {
    const double start = problem_.cyclic ? energy_.back() : battery_.initial_energy;
    const double before = t > 0 ? energy_[t - 1] : start;
    double change = energy_[t] - before * battery_.retention;
    if (std::abs(change) <= rounding_) change = 0;
    // Stored energies are rounded at their own size, not the step's.
    change = possible_change(rates_, energies_at(problem_.site, battery_, t), change);
    const double charge = std::max(change, 0.0) * rates_.charge_per_change;
    const double drawn = std::max(-change, 0.0);
    const Settled settled =
        settle(problem_.step(t), terms_, charge, drawn * rates_.discharge_ratio);
    schedule_.cost += settled.cost + drawn * battery_.degradation_cost;
    schedule_.feasible = schedule_.feasible && settled.feasible;
    const StepFlows& f = settled.flows;
    const double solar_dc = f.solar_to_battery * rates_.solar_ratio;
    const double state_of_charge = energy_[t] * soc_per_energy_;
    device_flows_.row(DeviceSeries::kGridToBattery)[t] = f.grid_to_battery;
    device_flows_.row(DeviceSeries::kSolarToBattery)[t] = solar_dc;
    device_flows_.row(DeviceSeries::kBatteryToSite)[t] = f.battery_to_site;
    device_flows_.row(DeviceSeries::kBatteryToGrid)[t] = f.battery_to_grid;
    device_flows_.row(DeviceSeries::kStateOfCharge)[t] = state_of_charge;
    write_site_flows(problem_.site, f, solar_dc, state_of_charge, t, flows_);
  }

  void write(Series series, std::size_t t, Pack values) { values.write(flows_.row(series) + t); }
  void write(DeviceSeries series, std::size_t t, Pack values) {
    values.write(device_flows_.row(series) + t);
  }

  const Problem& problem_;
  const Battery& battery_;
  Rates rates_;
  Floors floors_;
  Terms terms_;
  bool sun_is_better_;
  double soc_per_energy_;
  double rounding_;  // a change of stored energy that is none, kWh DC
  std::span<const double> energy_;
  FlowSeries flows_;
  DeviceFlows device_flows_;
  Schedule schedule_{0, true};
  Pack cost_{0.0};
};

}  // namespace

Schedule write_schedule(const Problem& problem, std::span<const double> energy, FlowSeries flows,
                        DeviceFlows device_flows) {
  return Writer(problem, energy, flows, device_flows).run();
}

}  // namespace bess
