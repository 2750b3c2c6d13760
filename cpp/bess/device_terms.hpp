// What the columns of a device in the linear program have in common.
#pragma once

#include <algorithm>

#include "bess/device.hpp"
#include "bess/site.hpp"

namespace bess {

// What a device can do in a step if it does not charge and discharge at once: no more than it
// holds. Self-discharge may take it below its minimum.
inline double swing(const Battery& b) {
  return b.retention < 1.0 ? b.maximum_energy : b.maximum_energy - b.minimum_energy;
}
inline double charge_bound(const Battery& b) {
  return std::min(b.charge_limit, swing(b) / b.input_efficiency);
}
inline double discharge_bound(const Battery& b) {
  return std::min(b.discharge_limit, swing(b));
}

// Worked out once for all steps of a kind. Bounds are in kWh AC, but most_from_solar in kWh DC, and
// 0 where a permission is missing.
struct DeviceTerms {
  double solar_ratio;  // kWh DC for each kWh AC
  double solar_per_charge;
  double grid_ratio;
  double stored_per_charge;
  double per_discharge;  // kWh DC for each kWh AC
  double wear;           // money for each kWh AC
  double most_from_solar;
  double most_from_grid;
  double most_to_site;
  double most_to_grid;
  double charge_tie;  // ties fall to the better priority
  double discharge_tie;
};

inline DeviceTerms terms_of(const Site& site, const Device& device, double charge,
                            double discharge) {
  const Battery& b = device.battery;
  const double solar_ratio = b.solar_charge_ratio(site.solar_dc_to_ac_efficiency);
  const double per_discharge = 1.0 / b.dc_to_ac_efficiency;
  const double given = discharge * b.dc_to_ac_efficiency;
  return {
      .solar_ratio = solar_ratio,
      .solar_per_charge = 1.0 / solar_ratio,
      .grid_ratio = b.ac_to_dc_efficiency,
      .stored_per_charge = b.input_efficiency,
      .per_discharge = per_discharge,
      .wear = b.degradation_cost * per_discharge,
      .most_from_solar = b.solar_to_battery ? charge : 0.0,
      .most_from_grid = b.grid_to_battery ? charge / b.ac_to_dc_efficiency : 0.0,
      .most_to_site = given,
      .most_to_grid = b.battery_to_grid ? given : 0.0,
      .charge_tie = 1.0 + 0.01 * device.charging_priority,
      .discharge_tie = (1.0 + 0.01 * device.discharging_priority) * per_discharge,
  };
}

}  // namespace bess
