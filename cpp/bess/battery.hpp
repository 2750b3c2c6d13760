// What a battery is, in the units of one step: stored energy and energy limits in kWh DC.
#pragma once

namespace bess {

// Invariants: 0 <= minimum_energy < maximum_energy <= capacity, initial_energy between the two;
// limits > 0; every efficiency, and the retention, in (0, 1].
struct Battery {
  double capacity;         // kWh DC, nameplate
  double minimum_energy;   // kWh DC
  double maximum_energy;   // kWh DC
  double initial_energy;   // kWh DC, stored before the first step
  double charge_limit;     // kWh DC in a step, at the battery's terminals
  double discharge_limit;  // kWh DC in a step, at the battery's terminals
  double ac_to_dc_efficiency;
  double dc_to_ac_efficiency;
  double input_efficiency;  // from the terminals into the cells, when charging
  double degradation_cost;  // money per kWh DC leaving the cells, >= 0
  double retention;         // what a step leaves of the energy stored before it
  bool dc_coupled;
  bool grid_to_battery;  // permissions, one for each flow
  bool battery_to_grid;
  bool solar_to_battery;

  // kWh DC at the battery's terminals for each kWh AC of solar energy that is sent there.
  constexpr double solar_charge_ratio(double solar_dc_to_ac_efficiency) const {
    return dc_coupled ? 1.0 / solar_dc_to_ac_efficiency : ac_to_dc_efficiency;
  }
};

}  // namespace bess
