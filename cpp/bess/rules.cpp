// Every rule is a wish: the change of stored energy it would make in a step if the battery were
// neither empty nor full. Wishes do not depend on what is stored, so a tile of steps is worked in
// three passes: wishes (vectors), the chain e' = clamp(e + wish, low, high) (the only sequential
// part), and the flows that follow from the changes (vectors). A tile stays in the first cache.
#include "bess/rules.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace bess {
namespace {

constexpr std::size_t kTile = 256;
using Tile = std::array<double, kTile>;

// Comparisons written so that compilers turn them into single minimum and maximum instructions.
inline double least_of(double a, double b) {
  return b < a ? b : a;
}
inline double most_of(double a, double b) {
  return a < b ? b : a;
}

// The battery's numbers as the passes need them.
struct Constants {
  double solar_ratio;       // kWh DC for each kWh AC of solar
  double solar_per_charge;  // its inverse
  double grid_ratio;
  double grid_per_charge;
  double input;
  double discharge_ratio;  // kWh AC for each kWh DC
  double dc_per_discharge;
  double solar_open;  // 1 where solar may charge the battery, else 0
  double dc_per_solar;
  double soc_per_energy;
  double rounding;  // kWh: what is smaller came from rounding
  bool grid_open;
  bool export_open;  // battery to grid
  bool solar_export_open;

  Constants(const Site& site, const Battery& b)
      : solar_ratio(b.solar_charge_ratio(site.solar_dc_to_ac_efficiency)),
        solar_per_charge(1.0 / solar_ratio),
        grid_ratio(b.ac_to_dc_efficiency),
        grid_per_charge(1.0 / grid_ratio),
        input(b.input_efficiency),
        discharge_ratio(b.dc_to_ac_efficiency),
        dc_per_discharge(1.0 / discharge_ratio),
        solar_open(b.solar_to_battery ? 1.0 : 0.0),
        dc_per_solar(1.0 / site.solar_dc_to_ac_efficiency),
        soc_per_energy(1.0 / b.capacity),
        rounding(1e-14 * most_of(1e-6, b.capacity)),
        grid_open(b.grid_to_battery),
        export_open(b.battery_to_grid),
        solar_export_open(site.solar_to_grid) {}
};

// A tile of the site: pointers to its steps, and limits as series even where there are none.
struct TileSite {
  const double* load;
  const double* solar;
  const double* export_limit;
  const double* import_limit;
  std::size_t first;
  std::size_t size;
};

// What the first pass leaves for the others.
struct Wishes {
  alignas(64) Tile change;       // kWh DC stored, before the battery's limits
  alignas(64) Tile solar_reach;  // kWh DC of solar that charging may take before the grid's turn
};

void wish_surplus(const TileSite& site, const Battery& battery, const Constants& k, Wishes& out) {
  for (std::size_t i = 0; i < site.size; ++i) {
    const double net = site.load[i] - site.solar[i];
    const double reach = most_of(-net, 0.0) * k.solar_ratio * k.solar_open;
    const double charge = least_of(reach, battery.charge_limit);
    const double discharge =
        least_of(most_of(net, 0.0) * k.dc_per_discharge, battery.discharge_limit);
    out.solar_reach[i] = reach;
    out.change[i] = charge * k.input - discharge;
  }
}

void wish_schedule(const TileSite& site, const Site& whole, const Battery& battery,
                   const Constants& k, const std::int8_t* modes, Wishes& out) {
  for (std::size_t i = 0; i < site.size; ++i) {
    const double net = site.load[i] - site.solar[i];
    const double surplus = most_of(-net, 0.0);
    const double exported = k.solar_export_open ? least_of(surplus, site.export_limit[i]) : 0.0;
    out.solar_reach[i] = surplus * k.solar_ratio * k.solar_open;
    out.change[i] = 0;
    if (modes[i] == static_cast<std::int8_t>(Mode::kDischarge)) {
      const double outlet =
          most_of(net, 0.0) + (k.export_open ? site.export_limit[i] - exported : 0.0);
      out.change[i] = -least_of(outlet * k.dc_per_discharge, battery.discharge_limit);
    } else if (modes[i] == static_cast<std::int8_t>(Mode::kCharge)) {
      if (!k.grid_open) {
        out.change[i] = least_of(out.solar_reach[i], battery.charge_limit) * k.input;
      } else if (k.solar_open != 0.0 || exported == 0.0) {
        out.solar_reach[i] = site.solar[i] * k.solar_ratio * k.solar_open;
        out.change[i] = change_range(whole, battery, site.first + i).most;
      }
    }
  }
}

void wish_follow(const TileSite& site, const Site& whole, const Battery& battery,
                 const Constants& k, const double* discharge, Wishes& out) {
  for (std::size_t i = 0; i < site.size; ++i) {
    const double surplus = most_of(site.solar[i] - site.load[i], 0.0);
    const double wish = discharge[i] >= 0 ? -discharge[i] * k.dc_per_discharge
                                          : -discharge[i] * k.grid_ratio * k.input;
    const ChangeRange range = change_range(whole, battery, site.first + i);
    out.solar_reach[i] = surplus * k.solar_ratio * k.solar_open;
    out.change[i] = least_of(most_of(wish, range.least), range.most);
  }
}

void wish_peak_shaving(const TileSite& site, const Battery& battery, const Constants& k,
                       double target, Wishes& out) {
  const double grid = k.grid_open ? 1.0 : 0.0;
  for (std::size_t i = 0; i < site.size; ++i) {
    const double net = site.load[i] - site.solar[i];
    const double reach = most_of(-net, 0.0) * k.solar_ratio * k.solar_open;
    const double ceiling = least_of(target, site.import_limit[i]);
    const double headroom = most_of(ceiling - most_of(net, 0.0), 0.0);
    // While unstorable solar is exported the grid does not charge.
    const bool exporting =
        k.solar_open == 0.0 && net < 0 && k.solar_export_open && site.export_limit[i] > 0;
    const double from_grid = exporting ? 0.0 : headroom * k.grid_ratio * grid;
    const double charge = least_of(reach + from_grid, battery.charge_limit);
    const double over = most_of(net - target, 0.0);
    const double discharge = least_of(over * k.dc_per_discharge, battery.discharge_limit);
    out.solar_reach[i] = reach;
    out.change[i] = charge * k.input - discharge;
  }
}

// Load above the import limit forces a discharge, whatever the rule wishes.
void keep_to_import_limit(const Site& site, const Battery& battery, std::size_t first,
                          std::size_t size, Wishes& out) {
  for (std::size_t i = 0; i < size; ++i) {
    const ChangeRange range = change_range(site, battery, first + i);
    out.change[i] = least_of(most_of(out.change[i], range.least), range.most);
  }
}

// The sequential pass. A wish has one sign, so one of the two bounds is enough, except in a
// corridor, where both can force a move.
double chain(const double* wish, std::size_t size, double low, double high, double energy,
             double* __restrict change, double* __restrict stored) {
  for (std::size_t i = 0; i < size; ++i) {
    const double wished = energy + wish[i];
    const double next = wish[i] < 0 ? most_of(wished, low) : least_of(wished, high);
    change[i] = next - energy;
    stored[i] = next;
    energy = next;
  }
  return energy;
}

double chain_in_corridor(const double* wish, std::size_t size, const double* low,
                         const double* high, double energy, double* __restrict change,
                         double* __restrict stored) {
  for (std::size_t i = 0; i < size; ++i) {
    const double next = least_of(most_of(energy + wish[i], low[i]), high[i]);
    change[i] = next - energy;
    stored[i] = next;
    energy = next;
  }
  return energy;
}

// Where the import limit binds, a DC-coupled battery must take more of its charge from the sun
// than the surplus: the grid's part passes through one more conversion.
inline double solar_charge_under_limit(const TileSite& site, const Constants& k, std::size_t i,
                                       double charge, double solar_charge) {
  const double lever = k.solar_ratio * k.grid_per_charge - 1.0;
  if (!(lever > 0)) return solar_charge;
  const double room = site.import_limit[i] - site.load[i] + site.solar[i];
  const double needed = (charge * k.grid_per_charge - room) / lever * k.solar_ratio;
  const double most = least_of(charge, site.solar[i] * k.solar_ratio * k.solar_open);
  return most_of(solar_charge, least_of(needed, most));
}

template <bool kImportLimited>
void write_flows(const TileSite& site, const Constants& k, const Wishes& wishes,
                 const double* __restrict change, const double* __restrict stored, FlowSeries out) {
  double* __restrict grid_to_site = out.row(Series::kGridToSite) + site.first;
  double* __restrict grid_to_battery = out.row(Series::kGridToBattery) + site.first;
  double* __restrict solar_to_battery = out.row(Series::kSolarToBattery) + site.first;
  double* __restrict solar_to_site = out.row(Series::kSolarToSite) + site.first;
  double* __restrict solar_to_grid = out.row(Series::kSolarToGrid) + site.first;
  double* __restrict curtailed = out.row(Series::kSolarCurtailed) + site.first;
  double* __restrict battery_to_site = out.row(Series::kBatteryToSite) + site.first;
  double* __restrict battery_to_grid = out.row(Series::kBatteryToGrid) + site.first;
  double* __restrict net_load = out.row(Series::kNetLoad) + site.first;
  double* __restrict state_of_charge = out.row(Series::kStateOfCharge) + site.first;
  const double charge_per_change = 1.0 / k.input;
  for (std::size_t i = 0; i < site.size; ++i) {
    const double load = site.load[i];
    const double charge = most_of(change[i], 0.0) * charge_per_change;
    const double discharge = most_of(-change[i], 0.0) * k.discharge_ratio;

    double from_sun = least_of(charge, wishes.solar_reach[i]);
    if constexpr (kImportLimited) {
      from_sun = solar_charge_under_limit(site, k, i, charge, from_sun);
    }
    double from_grid = k.grid_open ? charge - from_sun : 0.0;
    from_grid = from_grid > k.rounding ? from_grid : 0.0;
    from_sun = charge - from_grid;
    const double sun = most_of(site.solar[i] - from_sun * k.solar_per_charge, 0.0);

    // What cannot leave the site must serve it.
    const double promised = k.export_open ? discharge - site.export_limit[i] : discharge;
    const double sun_to_site = least_of(sun, most_of(load - most_of(promised, 0.0), 0.0));
    const double unserved = load - sun_to_site;
    double to_grid = k.export_open ? discharge - least_of(discharge, unserved) : 0.0;
    to_grid = to_grid > k.rounding ? to_grid : 0.0;
    const double to_site = discharge - to_grid;
    double bought = unserved - to_site;
    bought = bought > k.rounding ? bought : 0.0;
    const double outlet = most_of(site.export_limit[i] - to_grid, 0.0);
    const double rest = most_of(sun - sun_to_site, 0.0);
    const bool sells = k.solar_export_open && !(from_grid > 0) && !(bought > 0);
    const double sold = sells ? least_of(rest, outlet) : 0.0;

    grid_to_site[i] = bought;
    grid_to_battery[i] = from_grid * k.grid_per_charge;
    solar_to_battery[i] = from_sun;
    solar_to_site[i] = sun_to_site;
    solar_to_grid[i] = sold;
    curtailed[i] = (rest - sold) * k.dc_per_solar;
    battery_to_site[i] = to_site;
    battery_to_grid[i] = to_grid;
    net_load[i] = bought + from_grid * k.grid_per_charge - sold - to_grid;
    state_of_charge[i] = stored[i] * k.soc_per_energy;
  }
}

}  // namespace

void dispatch_rule(const Site& site, const Battery& battery, const Rule& rule,
                   const Corridor& corridor, FlowSeries flows) {
  assert(flows.steps == site.steps());
  const Constants k(site, battery);
  const bool in_corridor = !corridor.low.empty();
  Tile no_limit;
  no_limit.fill(kNoLimit);
  Wishes wishes;
  alignas(64) Tile change;
  alignas(64) Tile stored;
  double energy = battery.initial_energy;
  for (std::size_t first = 0; first < site.steps(); first += kTile) {
    const std::size_t size = std::min(kTile, site.steps() - first);
    const TileSite tile{
        site.load.data() + first,
        site.solar.data() + first,
        site.export_limit.empty() ? no_limit.data() : site.export_limit.data() + first,
        site.import_limit.empty() ? no_limit.data() : site.import_limit.data() + first,
        first,
        size,
    };
    switch (rule.kind) {
      case RuleKind::kSurplus:
        wish_surplus(tile, battery, k, wishes);
        break;
      case RuleKind::kFixedSchedule:
        wish_schedule(tile, site, battery, k, rule.modes.data() + first, wishes);
        break;
      case RuleKind::kFollow:
        wish_follow(tile, site, battery, k, rule.discharge.data() + first, wishes);
        break;
      case RuleKind::kPeakShaving:
        wish_peak_shaving(tile, battery, k, rule.target, wishes);
        break;
    }
    if (!site.import_limit.empty()) keep_to_import_limit(site, battery, first, size, wishes);
    if (in_corridor) {
      energy =
          chain_in_corridor(wishes.change.data(), size, corridor.low.data() + first,
                            corridor.high.data() + first, energy, change.data(), stored.data());
    } else {
      energy = chain(wishes.change.data(), size, battery.minimum_energy, battery.maximum_energy,
                     energy, change.data(), stored.data());
    }
    if (site.import_limit.empty()) {
      write_flows<false>(tile, k, wishes, change.data(), stored.data(), flows);
    } else {
      write_flows<true>(tile, k, wishes, change.data(), stored.data(), flows);
    }
  }
}

}  // namespace bess
