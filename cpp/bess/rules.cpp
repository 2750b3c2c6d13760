// Every rule is a wish: the change of stored energy it would make in a step if the battery were
// neither empty nor full. Wishes do not depend on what is stored, so a tile of steps is worked in
// three passes: wishes (vectors), the chain e' = clamp(e + wish, low, high) (the only sequential
// part), and the flows that follow from the changes (vectors). A tile stays in the first cache.
#include "bess/rules.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>

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

inline double not_rounding(double energy, double rounding) {
  return energy > rounding ? energy : 0.0;
}

// The battery's numbers as the passes need them; permissions are 1 or 0.
struct Constants {
  double solar_ratio;  // kWh DC for each kWh AC of solar
  double solar_per_charge;
  double grid_ratio;
  double grid_per_charge;
  double input;
  double charge_per_change;
  double discharge_ratio;  // kWh AC for each kWh DC
  double dc_per_discharge;
  double dc_per_solar;
  double soc_per_energy;
  double rounding;  // kWh: what is smaller came from rounding
  double solar_open;
  double grid_open;
  double export_open;

  Constants(const Site& site, const Battery& b)
      : solar_ratio(b.solar_charge_ratio(site.solar_dc_to_ac_efficiency)),
        solar_per_charge(1.0 / solar_ratio),
        grid_ratio(b.ac_to_dc_efficiency),
        grid_per_charge(1.0 / grid_ratio),
        input(b.input_efficiency),
        charge_per_change(1.0 / input),
        discharge_ratio(b.dc_to_ac_efficiency),
        dc_per_discharge(1.0 / discharge_ratio),
        dc_per_solar(1.0 / site.solar_dc_to_ac_efficiency),
        soc_per_energy(1.0 / b.capacity),
        rounding(1e-14 * most_of(1e-6, b.capacity)),
        solar_open(b.solar_to_battery ? 1.0 : 0.0),
        grid_open(b.grid_to_battery ? 1.0 : 0.0),
        export_open(b.battery_to_grid ? 1.0 : 0.0) {}
};

// A tile of the site: pointers to its steps, and limits as series even where there are none.
struct TileSite {
  const double* load;
  const double* solar;
  const double* export_limit;
  const double* import_limit;
  const double* solar_outlet;    // the export limit, or zeros where solar may not be exported
  const double* battery_outlet;  // the same for the battery
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
    const double exported = least_of(surplus, site.solar_outlet[i]);
    const double reach = surplus * k.solar_ratio * k.solar_open;
    const double outlet = most_of(net, 0.0) + most_of(site.battery_outlet[i] - exported, 0.0);
    out.solar_reach[i] = reach;
    out.change[i] = 0;
    if (modes[i] == static_cast<std::int8_t>(Mode::kDischarge)) {
      out.change[i] = -least_of(outlet * k.dc_per_discharge, battery.discharge_limit);
    } else if (modes[i] == static_cast<std::int8_t>(Mode::kCharge)) {
      if (!battery.grid_to_battery) {
        out.change[i] = least_of(reach, battery.charge_limit) * k.input;
      } else if (battery.solar_to_battery || exported == 0.0) {
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
  for (std::size_t i = 0; i < site.size; ++i) {
    const double net = site.load[i] - site.solar[i];
    const double surplus = most_of(-net, 0.0);
    const double reach = surplus * k.solar_ratio * k.solar_open;
    const double ceiling = least_of(target, site.import_limit[i]);
    const double headroom = most_of(ceiling - most_of(net, 0.0), 0.0);
    // While solar that may not be stored is exported, the grid does not charge.
    const double exported = least_of(surplus, site.solar_outlet[i]) * (1.0 - k.solar_open);
    const double from_grid = exported > 0.0 ? 0.0 : headroom * k.grid_ratio * k.grid_open;
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
                         const double* high, double rounding, double energy,
                         double* __restrict change, double* __restrict stored) {
  for (std::size_t i = 0; i < size; ++i) {
    const double bounded = least_of(most_of(energy + wish[i], low[i]), high[i]);
    // Bounds carry rounding of their own, which must not move the battery.
    const double next = std::abs(bounded - energy) > rounding ? bounded : energy;
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

// The series of a tile, before they are copied out row by row: writing ten far streams at once
// costs more than the arithmetic.
using TileSeries = std::array<Tile, kSeriesCount>;

// One plain loop without branches, which the compiler turns into vectors.
template <bool kImportLimited>
void work_out_flows(const TileSite& site, const Constants& k, const Wishes& wishes,
                    const Tile& change, const Tile& stored, TileSeries& out) {
  const Constants c = k;  // a copy that nothing written below can alias
  for (std::size_t i = 0; i < site.size; ++i) {
    const double load = site.load[i];
    const double charge = most_of(change[i], 0.0) * c.charge_per_change;
    const double discharge = most_of(-change[i], 0.0) * c.discharge_ratio;

    double from_sun = least_of(charge, wishes.solar_reach[i]);
    if constexpr (kImportLimited) {
      from_sun = solar_charge_under_limit(site, c, i, charge, from_sun);
    }
    const double from_grid = not_rounding(charge - from_sun, c.rounding) * c.grid_open;
    from_sun = charge - from_grid;
    const double sun = most_of(site.solar[i] - from_sun * c.solar_per_charge, 0.0);

    const double promised = most_of(discharge - site.battery_outlet[i], 0.0);  // for the site
    const double sun_to_site = least_of(sun, most_of(load - promised, 0.0));
    const double unserved = load - sun_to_site;
    const double to_grid =
        not_rounding(discharge - least_of(discharge, unserved), c.rounding) * c.export_open;
    const double to_site = discharge - to_grid;
    const double bought = not_rounding(unserved - to_site, c.rounding);
    const double charged = from_grid * c.grid_per_charge;
    const double imported = bought + charged;
    const double rest = most_of(sun - sun_to_site, 0.0);
    const double room = least_of(rest, most_of(site.solar_outlet[i] - to_grid, 0.0));
    const double sold = imported > 0.0 ? 0.0 : room;

    const auto write = [&](Series series, double value) {
      out[static_cast<std::size_t>(series)][i] = value;
    };
    write(Series::kGridToSite, bought);
    write(Series::kGridToBattery, charged);
    write(Series::kSolarToBattery, from_sun);
    write(Series::kSolarToSite, sun_to_site);
    write(Series::kSolarToGrid, sold);
    write(Series::kSolarCurtailed, (rest - sold) * c.dc_per_solar);
    write(Series::kBatteryToSite, to_site);
    write(Series::kBatteryToGrid, to_grid);
    write(Series::kNetLoad, imported - (sold + to_grid));
    write(Series::kStateOfCharge, stored[i] * c.soc_per_energy);
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
  Tile nothing{};
  Wishes wishes;
  alignas(64) Tile change;
  alignas(64) Tile stored;
  alignas(64) TileSeries series;
  double energy = battery.initial_energy;
  for (std::size_t first = 0; first < site.steps(); first += kTile) {
    const std::size_t size = std::min(kTile, site.steps() - first);
    const double* export_limit =
        site.export_limit.empty() ? no_limit.data() : site.export_limit.data() + first;
    const TileSite tile{
        site.load.data() + first,
        site.solar.data() + first,
        export_limit,
        site.import_limit.empty() ? no_limit.data() : site.import_limit.data() + first,
        site.solar_to_grid ? export_limit : nothing.data(),
        battery.battery_to_grid ? export_limit : nothing.data(),
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
      energy = chain_in_corridor(wishes.change.data(), size, corridor.low.data() + first,
                                 corridor.high.data() + first, k.rounding, energy, change.data(),
                                 stored.data());
    } else {
      energy = chain(wishes.change.data(), size, battery.minimum_energy, battery.maximum_energy,
                     energy, change.data(), stored.data());
    }
    if (site.import_limit.empty()) {
      work_out_flows<false>(tile, k, wishes, change, stored, series);
    } else {
      work_out_flows<true>(tile, k, wishes, change, stored, series);
    }
    for (std::size_t row = 0; row < kSeriesCount; ++row) {
      std::memcpy(flows.block + row * flows.steps + first, series[row].data(),
                  size * sizeof(double));
    }
  }
}

}  // namespace bess
