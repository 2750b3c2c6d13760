// A step of a site and one battery as numbers to calculate with, and how far stored energy can
// change in it. Written for any `Number`: one double, or a Pack of four steps.
#pragma once

#include "bess/battery.hpp"
#include "bess/pack.hpp"
#include "bess/site.hpp"

namespace bess {

// A battery's conversions as factors, so that no step divides; a flow that is not permitted has a
// factor or a limit of 0.
struct Rates {
  double solar_ratio;  // kWh DC at the terminals for each kWh AC of solar
  double solar_per_charge;
  double storable_solar;  // solar_ratio, or 0 where solar may not be stored
  double dc_per_solar;    // kWh DC before the solar inverter for each kWh AC of solar
  double grid_ratio;      // kWh DC at the terminals for each kWh AC from the grid
  double grid_per_charge;
  double grid_charge_limit;  // kWh DC in a step
  double charge_limit;
  double discharge_limit;
  double input;  // kWh DC stored for each kWh DC at the terminals
  double charge_per_change;
  double discharge_ratio;  // kWh AC for each kWh DC
  double dc_per_discharge;

  Rates(const Site& site, const Battery& b)
      : solar_ratio(b.solar_charge_ratio(site.solar_dc_to_ac_efficiency)),
        solar_per_charge(1.0 / solar_ratio),
        storable_solar(b.solar_to_battery ? solar_ratio : 0.0),
        dc_per_solar(1.0 / site.solar_dc_to_ac_efficiency),
        grid_ratio(b.ac_to_dc_efficiency),
        grid_per_charge(1.0 / grid_ratio),
        grid_charge_limit(b.grid_to_battery ? b.charge_limit : 0.0),
        charge_limit(b.charge_limit),
        discharge_limit(b.discharge_limit),
        input(b.input_efficiency),
        charge_per_change(1.0 / input),
        discharge_ratio(b.dc_to_ac_efficiency),
        dc_per_discharge(1.0 / discharge_ratio) {}
};

namespace {

// Energies of a step in kWh AC. Without import and inverter limit their arithmetic is left out.
template <typename Number, bool kLimited>
struct Energies {
  Number load;
  Number solar;
  Number import_limit;
  Number inverter_limit;
  Number solar_outlet;    // the export limit, or 0 where solar may not be exported
  Number battery_outlet;  // the same for the battery

  Number through_inverter(Number energy) const {
    if constexpr (kLimited) {
      return least_of(energy, inverter_limit);
    } else {
      return energy;
    }
  }
  Number sun() const { return through_inverter(solar); }  // what it can send out
  Number deficit() const { return most_of(load - sun(), 0.0); }
  // Solar energy that the site would not use: to be exported, or above the inverter's limit.
  Number surplus() const { return deficit() - (load - solar); }
  Number exported() const { return least_of(deficit() - (load - sun()), solar_outlet); }
  // A discharge (kWh AC), held to what the sun leaves of the inverter.
  Number beside_sun(Number discharge) const {
    if constexpr (kLimited) {
      const Number used = load - deficit() + exported();
      return least_of(discharge, most_of(inverter_limit - used, 0.0));
    } else {
      return discharge;
    }
  }
};

// The energies of step t.
inline Energies<double, true> energies_at(const Site& site, const Battery& b, std::size_t t) {
  const double export_limit = site.export_limit_at(t);
  return {
      .load = site.load[t],
      .solar = site.solar[t],
      .import_limit = site.import_limit_at(t),
      .inverter_limit = site.inverter_limit_at(t),
      .solar_outlet = site.solar_to_grid ? export_limit : 0.0,
      .battery_outlet = b.battery_to_grid ? export_limit : 0.0,
  };
}

// The least by which stored energy can change in a step, kWh DC, whatever is stored.
template <typename Number, bool kLimited>
inline Number least_change(const Rates& r, const Energies<Number, kLimited>& step) {
  const Number outlet = step.through_inverter(step.load + step.battery_outlet);
  return Number(0.0) - least_of(outlet * r.dc_per_discharge, r.discharge_limit);
}

// The most. Negative where load above the import limit forces a discharge; less than the least
// where even that does not help, as where the load is above import and inverter limit together.
template <typename Number, bool kLimited>
inline Number most_change(const Rates& r, const Energies<Number, kLimited>& step) {
  if constexpr (!kLimited) {
    const Number from_sun = step.solar * r.storable_solar;
    return least_of(from_sun + r.grid_charge_limit, r.charge_limit) * r.input;
  } else {
    const Number spare = step.solar + step.import_limit - step.load;  // AC energy to store
    const Number from_sun =
        least_of(least_of(step.solar, spare) * r.storable_solar, r.charge_limit);
    const Number sun_left = most_of(step.solar - from_sun * r.solar_per_charge, 0.0);
    const Number unserved = most_of(step.load - step.through_inverter(sun_left), 0.0);
    const Number headroom = most_of(step.import_limit - unserved, 0.0);
    const Number taken = step.through_inverter(headroom);
    const Number from_grid = least_of(taken * r.grid_ratio, r.grid_charge_limit);
    const Number charge = least_of(from_sun + from_grid, r.charge_limit);
    // Where import and inverter together cannot serve the load, no discharge is enough.
    const Number served = step.sun() + step.import_limit - step.load;
    const Number reached = (step.import_limit + step.inverter_limit) * (1.0 + 1e-12);
    const Number left = where_above(step.load, reached, step.import_limit - step.load, served);
    return where_above(0.0, left, left * r.dc_per_discharge, charge * r.input);
  }
}

// A change of stored energy, held to what the step allows.
template <typename Number, bool kLimited>
inline Number possible_change(const Rates& r, const Energies<Number, kLimited>& step,
                              Number change) {
  return least_of(most_of(change, least_change(r, step)), most_change(r, step));
}

}  // namespace
}  // namespace bess
