// The energy flows of one step, the balances they keep, and the least-cost flows of an action.
//
//   load         = grid_to_site + solar_to_site + battery_to_site
//   solar_ac     = solar_to_site + solar_to_grid + curtailed * pv + solar_to_battery / ratio
//   charge_dc    = ac_to_dc * grid_to_battery + solar_to_battery
//   discharge_dc = (battery_to_site + battery_to_grid) / dc_to_ac
//   net_load     = grid_to_site + grid_to_battery - solar_to_grid - battery_to_grid
//
// `pv` is the solar inverter's efficiency, `ratio` is Battery::solar_charge_ratio. Solar energy
// that the inverter's limit clips is curtailed.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "bess/battery.hpp"
#include "bess/site.hpp"

namespace bess {

// The series of a result, in the order in which they are stored.
enum class Series : std::size_t {
  kGridToSite,
  kGridToBattery,
  kSolarToBattery,
  kSolarToSite,
  kSolarToGrid,
  kSolarCurtailed,
  kBatteryToSite,
  kBatteryToGrid,
  kNetLoad,
  kStateOfCharge,
};
inline constexpr std::size_t kSeriesCount = 10;

// Ten rows of `steps` values in one block. The flows are >= 0; kWh AC in a step, but
// solar_to_battery and solar_curtailed kWh DC; state of charge is a fraction at the step's end.
struct FlowSeries {
  double* block;
  std::size_t steps;

  double* row(Series series) const { return block + static_cast<std::size_t>(series) * steps; }
};

// One step of a site, its energies in kWh AC.
struct Step {
  double load;
  double solar;
  double export_limit;  // kNoLimit: none
  double import_limit;
  double inverter_limit;  // each way, of the inverter that the sun shares with the battery
  double import_price;    // money per kWh AC, any sign
  double export_price;
};

// The terms on which batteries trade in a step. One battery of any coupling, or several that are
// AC-coupled, which then count their charge in kWh AC (both ratios 1).
struct Terms {
  double solar_ratio;  // charge in its own unit for each kWh AC of solar
  double grid_ratio;   // the same for each kWh AC from the grid; <= solar_ratio
  bool grid_to_battery;
  bool battery_to_grid;
  bool solar_to_battery;
  bool solar_to_grid;
};

// Flows of one step, kWh AC throughout.
struct StepFlows {
  double grid_to_site = 0;
  double grid_to_battery = 0;
  double solar_to_battery = 0;
  double solar_to_site = 0;
  double solar_to_grid = 0;
  double solar_curtailed = 0;
  double battery_to_site = 0;
  double battery_to_grid = 0;

  double import() const { return grid_to_site + grid_to_battery; }
  double exported() const { return solar_to_grid + battery_to_grid; }
};

// The least-cost flows that charge `charge` (in the unit of `terms`) and discharge `discharge`
// (kWh AC) in one step, never importing and exporting at once. Among flows of equal cost the sun
// serves site, battery and grid in that order, and the battery the site before the grid.
// `feasible` is false where permissions or limits do not allow the action; the flows are then void.
struct Settled {
  StepFlows flows;
  double cost;
  bool feasible;
};
Settled settle(const Step& step, const Terms& terms, double charge, double discharge);

// The same where the sun has a meter of its own: it serves no load, and only the battery's exports
// exclude an import.
Settled settle_apart(const Step& step, const Terms& terms, double charge, double discharge);

}  // namespace bess
