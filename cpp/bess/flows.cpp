// Given what the batteries do in a step, the flows that remain to be chosen are: how much of the
// charge is solar, and whether the meter imports or exports. For a fixed meter direction the cost
// is piecewise linear in the solar share, so its least value lies at one of a few kinks: they are
// tried in the order of preference, and a later one must be cheaper to win.
#include "bess/flows.hpp"

#include <algorithm>
#include <cmath>

namespace bess {
namespace {

// Relative to the energies of a step: differences below this are rounding.
constexpr double kRounding = 1e-12;

struct Candidate {
  StepFlows flows;
  bool feasible;
};

double cost_of(const Step& step, const StepFlows& flows) {
  return step.import_price * flows.import() - step.export_price * flows.exported();
}

// The meter imports or stands still: nothing is exported.
Candidate while_importing(const Step& step, double solar_left, double grid_to_battery,
                          double discharge, double slack) {
  StepFlows f;
  f.grid_to_battery = grid_to_battery;
  if (discharge > std::min(step.load, step.inverter_limit) + slack) return {f, false};
  f.battery_to_site = std::min(discharge, step.load);
  const double unserved = step.load - f.battery_to_site;
  const double output =
      std::min(solar_left, std::max(step.inverter_limit - f.battery_to_site, 0.0));
  const double headroom = step.import_limit - grid_to_battery;
  if (headroom < -slack) return {f, false};
  const double from_sun = step.import_price < 0 ? unserved - std::max(headroom, 0.0) : unserved;
  f.solar_to_site = std::clamp(from_sun, 0.0, std::min(output, unserved));
  f.grid_to_site = unserved - f.solar_to_site;
  if (f.grid_to_site > headroom + slack) return {f, false};
  f.solar_curtailed = solar_left - f.solar_to_site;
  return {f, true};
}

// The meter exports or stands still: nothing is imported.
Candidate while_exporting(const Step& step, const Terms& terms, double solar_left, double discharge,
                          double slack) {
  StepFlows f;
  if (solar_left + discharge < step.load - slack) return {f, false};
  if (step.load > step.inverter_limit + slack) return {f, false};
  if (!terms.battery_to_grid && discharge > step.load + slack) return {f, false};
  const double beside_load = std::max(step.inverter_limit - step.load, 0.0);
  const double outlet = std::min(step.export_limit, beside_load);
  const bool battery_first = !terms.battery_to_grid || step.export_price < 0;
  if (battery_first) {
    f.battery_to_site = std::min(discharge, step.load);
    f.solar_to_site = std::min(solar_left, step.load - f.battery_to_site);
  } else {
    const double owed = std::max(discharge - outlet, 0.0);  // cannot leave the site
    f.solar_to_site = std::min(solar_left, std::max(step.load - owed, 0.0));
    f.battery_to_site = std::min(discharge, step.load - f.solar_to_site);
  }
  if (terms.battery_to_grid) {
    f.battery_to_grid = discharge - f.battery_to_site;
    if (f.battery_to_grid <= slack) {
      f.battery_to_site = std::min(discharge, step.load);
      f.battery_to_grid = 0;
    }
    if (f.battery_to_grid > outlet + slack) return {f, false};
  }
  const double rest = std::max(solar_left - f.solar_to_site, 0.0);
  if (terms.solar_to_grid && step.export_price >= 0) {
    f.solar_to_grid = std::clamp(outlet - f.battery_to_grid, 0.0, rest);
  }
  f.solar_curtailed = rest - f.solar_to_grid;
  return {f, true};
}

// The least and the most solar energy (kWh AC) that can be part of a charge.
struct SolarShare {
  double least;
  double most;
  double surplus;  // that the site would not use
};

SolarShare solar_share(const Step& step, const Terms& terms, double charge, double discharge) {
  const double from_grid = terms.grid_to_battery ? terms.grid_ratio * step.inverter_limit : 0.0;
  const double wanted = charge / terms.solar_ratio;
  const double unserved = std::max(step.load - discharge, 0.0);
  const double output = std::min(unserved, std::max(step.inverter_limit - discharge, 0.0));
  return {.least = std::max(charge - from_grid, 0.0) / terms.solar_ratio,
          .most = terms.solar_to_battery ? std::min(step.solar, wanted) : 0.0,
          .surplus = std::max(step.solar - output, 0.0)};
}

// `settle` where importing earns nothing and only one of charge and discharge is above 0: then it
// is cheapest to import as little as possible, so the solar share is as large as the surplus allows
// or, where the sun's way into the battery is the better one, as large as can be.
Settled settle_by_merit(const Step& step, const Terms& terms, double charge, double discharge,
                        double scale) {
  const double slack = kRounding * scale;
  const auto [least, most, surplus] = solar_share(step, terms, charge, discharge);
  if (least > most + slack) return {{}, 0.0, false};
  const auto settle_with = [&](double share) -> Settled {
    double from_grid = (charge - terms.solar_ratio * share) / terms.grid_ratio;
    if (from_grid <= slack) from_grid = 0;
    const double solar_left = std::max(step.solar - share, 0.0);
    Candidate candidate{{}, false};
    if (from_grid == 0) candidate = while_exporting(step, terms, solar_left, discharge, slack);
    if (!candidate.feasible) {
      candidate = while_importing(step, solar_left, from_grid, discharge, slack);
    }
    candidate.flows.solar_to_battery = share;
    return {candidate.flows, cost_of(step, candidate.flows), candidate.feasible};
  };
  const double first = std::min(std::max(surplus, least), most);
  const Settled settled = settle_with(first);
  if (first == most || terms.solar_ratio == terms.grid_ratio) return settled;
  const Settled other = settle_with(most);
  const double price_scale = std::max(step.import_price, std::abs(step.export_price));
  const double indifferent = kRounding * scale * price_scale;
  const bool better = !settled.feasible || other.cost < settled.cost - indifferent;
  return other.feasible && better ? other : settled;
}

}  // namespace

Settled settle(const Step& step, const Terms& terms, double charge, double discharge) {
  const double scale = std::max({1e-3, step.load, step.solar, charge, discharge});
  const double slack = kRounding * scale;
  if (step.import_price >= 0 && (charge == 0 || discharge == 0)) {
    const Settled settled = settle_by_merit(step, terms, charge, discharge, scale);
    if (settled.feasible) return settled;
  }
  const auto [least, most, surplus] = solar_share(step, terms, charge, discharge);
  Settled best{{}, 0.0, false};
  if (least > most + slack) return best;

  const auto solar_share_at_import = [&](double limit) {  // the kink at which import meets `limit`
    const double lever = terms.solar_ratio / terms.grid_ratio - 1.0;
    if (!(lever > 0) || !std::isfinite(limit)) return most;
    return (charge / terms.grid_ratio + step.load - discharge - step.solar - limit) / lever;
  };
  const double beside_load = std::max(step.inverter_limit - step.load, 0.0);
  const double beyond_inverter = std::max(step.load - step.inverter_limit, 0.0);
  const double unused =  // would be curtailed
      std::max(surplus - std::min(step.export_limit, beside_load), 0.0);
  const double kinks[] = {
      std::min(surplus, most),
      most,
      0.0,
      (charge - terms.grid_ratio * (step.import_limit - beyond_inverter)) / terms.solar_ratio,
      solar_share_at_import(step.import_limit),
      solar_share_at_import(0.0),
      unused,
  };
  const double price_scale = std::max(std::abs(step.import_price), std::abs(step.export_price));
  const double indifferent = kRounding * scale * price_scale;
  for (const double kink : kinks) {
    if (std::isnan(kink)) continue;
    const double share = std::clamp(kink, std::min(least, most), most);
    double from_grid = (charge - terms.solar_ratio * share) / terms.grid_ratio;
    if (from_grid <= slack) from_grid = 0;
    if (from_grid > 0 && !terms.grid_to_battery) continue;
    const double solar_left = std::max(step.solar - share, 0.0);
    const auto consider = [&](Candidate candidate) {
      if (!candidate.feasible) return;
      candidate.flows.solar_to_battery = share;
      const double cost = cost_of(step, candidate.flows);
      if (!best.feasible || cost < best.cost - indifferent) best = {candidate.flows, cost, true};
    };
    if (from_grid == 0) {
      consider(while_exporting(step, terms, solar_left, discharge, slack));
    }
    consider(while_importing(step, solar_left, from_grid, discharge, slack));
  }
  return best;
}

Settled settle_apart(const Step& step, const Terms& terms, double charge, double discharge) {
  const double slack = kRounding * std::max({1e-3, step.load, step.solar, charge, discharge});
  const auto [least, most, surplus] = solar_share(step, terms, charge, discharge);
  Settled best{{}, 0.0, false};
  StepFlows f;
  f.battery_to_site = std::min(discharge, step.load);
  f.battery_to_grid = discharge - f.battery_to_site <= slack ? 0.0 : discharge - f.battery_to_site;
  f.grid_to_site = step.load - f.battery_to_site;
  if (least > most + slack || (f.battery_to_grid > 0 && !terms.battery_to_grid) ||
      f.battery_to_grid > step.export_limit + slack || discharge > step.inverter_limit + slack) {
    return best;
  }
  const double outlet = std::max(
      std::min(step.export_limit - f.battery_to_grid, step.inverter_limit - discharge), 0.0);
  const double headroom = step.import_limit - f.grid_to_site;
  const double kinks[] = {std::max(step.solar - outlet, 0.0), most, 0.0,
                          (charge - terms.grid_ratio * headroom) / terms.solar_ratio};
  for (const double kink : kinks) {
    if (std::isnan(kink)) continue;
    const double share = std::clamp(kink, std::min(least, most), most);
    f.grid_to_battery = (charge - terms.solar_ratio * share) / terms.grid_ratio;
    if (f.grid_to_battery <= slack) f.grid_to_battery = 0;
    if (f.grid_to_battery > headroom + slack) continue;
    if (f.grid_to_battery > 0 && (!terms.grid_to_battery || f.battery_to_grid > 0)) continue;
    f.solar_to_battery = share;
    const double left = std::max(step.solar - share, 0.0);
    f.solar_to_grid = terms.solar_to_grid && step.export_price >= 0 ? std::min(left, outlet) : 0.0;
    f.solar_curtailed = left - f.solar_to_grid;
    const double cost = cost_of(step, f);
    const double indifferent = slack * std::max(step.import_price, step.export_price);
    if (!best.feasible || cost < best.cost - std::abs(indifferent)) best = {f, cost, true};
  }
  return best;
}

}  // namespace bess
