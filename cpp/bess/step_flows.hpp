// From the change of stored energy in a step to its flows, for any `Number` as in step_range.hpp:
// arithmetic without branches.
#pragma once

#include "bess/battery.hpp"
#include "bess/site.hpp"
#include "bess/step_range.hpp"

namespace bess {

// What is smaller came from rounding (kWh): a charge of it would bar a step from exporting. A flow
// that is not permitted is dropped at any size, and where the sun may not charge, the grid's part
// is kept at any size.
struct Floors {
  double energy;
  double grid_charge;
  double battery_export;

  explicit Floors(const Battery& b)
      : energy(b.capacity > 1e-6 ? 1e-14 * b.capacity : 1e-20),
        grid_charge(!b.grid_to_battery   ? kNoLimit
                    : b.solar_to_battery ? energy
                                         : -1.0),
        battery_export(b.battery_to_grid ? energy : kNoLimit) {}
};

namespace {

// What rounding may leave of a load that is served, as a part of it: taken for an import it would
// bar the sun from being exported.
constexpr double kServed = 1e-15;

// kWh AC, but solar_to_battery and solar_curtailed kWh DC.
template <typename Number>
struct Flows {
  Number grid_to_site;
  Number grid_to_battery;
  Number solar_to_battery;
  Number solar_to_site;
  Number solar_to_grid;
  Number solar_curtailed;
  Number battery_to_site;
  Number battery_to_grid;
  Number net_load;
};

// Where a limit binds, a DC-coupled battery must take more of its charge from the sun than the
// surplus: the grid's part passes the inverter, and through one more conversion.
template <typename Number>
inline Number solar_charge_under_limits(const Rates& r, const Energies<Number, true>& step,
                                        Number charge, Number solar_charge) {
  const Number most = least_of(charge, step.solar * r.storable_solar);
  const Number beyond_inverter = charge - step.inverter_limit * r.grid_ratio;
  const Number reached = most_of(least_of(beyond_inverter, most), solar_charge);
  const double lever = r.solar_ratio * r.grid_per_charge - 1.0;
  if (!(lever > 0)) return reached;
  const Number room = step.import_limit - step.load + step.solar;
  const Number needed = (charge * r.grid_per_charge - room) * (r.solar_ratio / lever);
  return most_of(least_of(needed, most), reached);
}

// The flows of a step in which stored energy changes by `change` (kWh DC). Charging takes solar up
// to `solar_reach` (kWh DC) before the grid's turn, and more solar where the grid may not charge.
// The sun serves the site before the battery does, unless the battery's energy has no other way.
// Requires: the change is one that the step allows.
template <typename Number, bool kLimited>
[[gnu::always_inline]] inline Flows<Number> flows_of_change(const Rates& r, const Floors& floors,
                                                            const Energies<Number, kLimited>& step,
                                                            Number change, Number solar_reach) {
  const Number gained = most_of(change, 0.0);
  const Number raw_charge = gained * r.charge_per_change;
  const Number charge = zero_unless_above(raw_charge, floors.energy, raw_charge);
  const Number discharge = (gained - change) * r.discharge_ratio;

  Number reached = least_of(charge, solar_reach);
  if constexpr (kLimited) reached = solar_charge_under_limits(r, step, charge, reached);
  const Number beyond = charge - reached;
  const Number grid_charge = zero_unless_above(beyond, floors.grid_charge, beyond);
  const Number solar_charge = charge - grid_charge;
  const Number sun = most_of(step.solar - solar_charge * r.solar_per_charge, 0.0);
  Number output = sun;  // what of it the inverter lets through
  if constexpr (kLimited) output = least_of(sun, most_of(step.inverter_limit - discharge, 0.0));

  const Number promised = most_of(discharge - step.battery_outlet, 0.0);  // for the site
  const Number sun_to_site = least_of(output, most_of(step.load - promised, 0.0));
  const Number unserved = step.load - sun_to_site;
  const Number left = discharge - unserved;
  const Number to_grid = zero_unless_above(left, floors.battery_export, left);
  const Number to_site = discharge - to_grid;
  const Number missing = unserved - to_site;
  const Number bought = zero_unless_above(missing, step.load * kServed + floors.energy, missing);
  const Number charged = grid_charge * r.grid_per_charge;
  const Number imported = bought + charged;

  const Number rest = output - sun_to_site;
  const Number room = least_of(rest, most_of(step.solar_outlet - to_grid, 0.0));
  const Number sold = zero_if_above(imported, 0.0, room);
  const Number curtailed = (sun - sun_to_site - sold) * r.dc_per_solar;
  const Number net_load = imported - (sold + to_grid);
  return {bought, charged, solar_charge, sun_to_site, sold, curtailed, to_site, to_grid, net_load};
}

}  // namespace
}  // namespace bess
